import { describe, expect, it } from "vitest";
import { readRedisAddress } from "./redis-address.ts";

describe("REDIS_URL", () => {
  it("names one server as it stands", () => {
    const { urls, hasDatabase } = readRedisAddress("redis://user:p%40ss,word@127.0.0.1:6379");
    expect([urls, hasDatabase]).toEqual([["redis://user:p%40ss,word@127.0.0.1:6379"], false]);
  });

  it("names several nodes of a cluster with one login, which goes for those that the cluster tells of too", () => {
    const address = readRedisAddress("rediss://user:secret@redis-1:7001,redis-2:7002?family=6");
    expect(address.urls).toEqual([
      "rediss://user:secret@redis-1:7001?family=6",
      "rediss://user:secret@redis-2:7002?family=6",
    ]);
    expect(address.at("10.0.0.3", 7003)).toBe("rediss://user:secret@10.0.0.3:7003?family=6");
    expect(address.at("fd00::3", 7003)).toBe("rediss://user:secret@[fd00::3]:7003?family=6");
  });

  it("tells that it names a numbered database", () => {
    expect(readRedisAddress("redis://127.0.0.1:6379/3").hasDatabase).toBe(true);
    expect(readRedisAddress("redis://127.0.0.1:6379/0").hasDatabase).toBe(false);
  });

  it("is refused without its secret being told where it is none", () => {
    const read = () => readRedisAddress("redis://user:secret@");
    expect(read).toThrow(
      expect.objectContaining({ code: "BAD_CONFIG", message: expect.not.stringContaining("secret") }),
    );
  });
});
