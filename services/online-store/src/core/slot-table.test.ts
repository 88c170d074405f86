import { describe, expect, it } from "vitest";
import { hashSlot } from "./hash-slot.ts";
import { newestTable, noTable, readSlotTable } from "./slot-table.ts";

const info = (epoch: number) => `cluster_state:ok\r\ncluster_current_epoch:${epoch}\r\n`;
const key = "{p07}:airport:ORD";
const slot = hashSlot(key);

describe("the table of slots", () => {
  it("names the master of a key's slot, not its replicas", () => {
    const slots = [
      [slot + 1, 16_383, ["10.0.0.3", 7003, "c"]],
      [0, slot, ["10.0.0.1", 7001, "a"], ["10.0.0.2", 7002, "b"]],
    ];
    const table = readSlotTable(info(4), slots, "10.0.0.9");
    expect([table.ownerOf(key), table.masters]).toEqual(["10.0.0.1:7001", ["10.0.0.1:7001", "10.0.0.3:7003"]]);
  });

  it("has no master for a slot that nobody holds", () => {
    expect(readSlotTable(info(1), [[slot + 1, 16_383, ["h", 1, "a"]]], "h").ownerOf(key)).toBeUndefined();
  });

  it("takes a node that does not know its own host for the one that was asked", () => {
    expect(readSlotTable(info(1), [[0, 16_383, ["", 7001, "a"]]], "redis-1").ownerOf(key)).toBe("redis-1:7001");
  });

  it("is believed of the node that has heard of the greatest epoch", () => {
    const told = (epoch: number) => readSlotTable(info(epoch), [[0, 16_383, [`h${epoch}`, 1, "a"]]], "h");
    expect(newestTable(noTable, [told(3), told(5), told(4)]).ownerOf(key)).toBe("h5:1");
  });

  it("stays where no node answers, and gives way to whatever one tells: a cluster may have been made anew", () => {
    const known = readSlotTable(info(9), [[0, 16_383, ["old", 1, "a"]]], "h");
    const anew = readSlotTable(info(1), [[0, 16_383, ["new", 1, "a"]]], "h");
    expect(newestTable(known, []).ownerOf(key)).toBe("old:1");
    expect(newestTable(known, [anew]).ownerOf(key)).toBe("new:1");
  });
});
