import { randomUUID } from "node:crypto";
import type { Tributary } from "@tributary/client/tributary";
import { defaultPartitions } from "@tributary/shared/contracts/catalog";
import { partitionOf } from "@tributary/shared/contracts/entity-key";
import type { ErrorCode } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import type { WriteReply, WriteToken } from "@tributary/shared/contracts/write";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  airportNow,
  allTypes,
  arrivals,
  boards,
  departures,
  desk,
  everything,
  gates,
  planning,
  profile,
  queue,
  tower,
} from "./definitions.ts";

export interface NamedView {
  readonly name: string;
}

/** A client over one transport, and what stands for the lanes that it does not write. */
export interface ClientRig {
  readonly client: Tributary;
  /** The clock's instant, epoch ms. */
  now(): number;
  /** A row of a batch or stream view, readable when this resolves. */
  set(view: NamedView, code: string, features: object, eventTime: number): Promise<void>;
  confirm(view: NamedView, code: string, at: number): Promise<void>;
  /** Every event stored so far. */
  events(source: string): Promise<readonly object[]>;
  stop(): Promise<void>;
}

const minute = 60_000;
const hour = 60 * minute;

/** What a client promises, whatever carries its requests. Keys are random: suites may share a store. */
export function describeClient(name: string, open: () => Promise<ClientRig>): void {
  const suite = suites++;
  describe(`a client ${name}`, () => {
    let rig: ClientRig;
    let client: Tributary;
    beforeAll(async () => {
      rig = await open();
      client = rig.client;
    });
    afterAll(() => rig?.stop());

    describe("values", () => {
      const at = new Date("2001-03-04T05:06:07.089Z");
      const given = {
        flag: true,
        small: -5,
        whole: Number.MAX_SAFE_INTEGER,
        ratio32: 0.5,
        ratio: 0.1,
        text: "naïve ☂",
        colour: "red",
        raw: Uint8Array.of(0, 127, 255),
        at,
        day: new Date("2001-03-04T00:00:00Z"),
        extra: { a: [1, "x", null] },
        embedding: Float32Array.of(1, -2.5, 3e10),
        tags: ["a", ""],
        times: [at],
        counts: { one: 1 },
        level: 0,
        wide: 5n,
        wides: { large: 2n ** 62n + 1n, small: -1n },
        name: "ORD",
      };
      const asGiven = { ...given, day: "2001-03-04" };

      it("of every type come back as they were given", async () => {
        const code = newCode();
        const after = await written(client, "all_types", [{ key: { code }, features: asGiven }]);
        const [row] = await client.read(everything, [{ code }], { after });
        expect(plain(row)).toEqual(plain(given));
        expect([row?.at, row?.raw, row?.embedding].map((value) => value?.constructor.name)).toEqual([
          "Date",
          "Uint8Array",
          "Float32Array",
        ]);
      });

      it("by name come as they travel", async () => {
        const code = newCode();
        const after = await written(client, "all_types", [{ key: { code }, features: asGiven }]);
        const [row] = await client.read("everything", [{ code }], { after });
        expect(plain(row)).toEqual(
          plain({
            ...given,
            at: at.getTime(),
            day: 11_385,
            embedding: new Uint8Array(given.embedding.buffer),
            times: [at.getTime()],
            wide: 5,
            wides: { large: 2n ** 62n + 1n, small: -1 },
          }),
        );
      });

      it("that are NULL or missing are null, or the default", async () => {
        const code = newCode();
        const after = await written(client, "all_types", [{ key: { code }, features: { text: null, level: null } }]);
        const [row] = await client.read(everything, [{ code }], { after, detail: true });
        expect([row?.text.value, row?.text.status]).toEqual([null, "NULL_VALUE"]);
        expect([row?.level.value, row?.level.status]).toEqual([7, "NULL_VALUE"]);
        expect([row?.at.value, row?.at.status]).toEqual([null, "NOT_FOUND"]);
        const [none] = await client.read(everything, [{ code: newCode() }]);
        expect([none?.level, none?.text]).toEqual([7, null]);
      });

      it("are computed when they are read, of what is stored and what the request brings", async () => {
        const code = newCode();
        const after = await written(client, "all_types", [{ key: { code }, features: { ratio: 0.5 } }]);
        const keys = [
          { code, bags: 2 },
          { code, bags: 1, since: new Date(0) },
          { code: newCode(), bags: 1, since: null },
        ];
        expect(await client.read(queue, keys, { after })).toEqual([
          { ratio: 0.5, level: 7, wait: 5.5, wait_again: 40.5 },
          { ratio: 0.5, level: 7, wait: 104.5, wait_again: 832.5 },
          { ratio: null, level: 7, wait: -1, wait_again: -6 },
        ]);
        const [only] = await client.read("queue", [{ code, bags: 2 }], { features: ["wait"], detail: true });
        const told = { status: "PRESENT", eventTime: expect.any(Date), ageMs: expect.any(Number) };
        expect(only).toEqual({ wait: { ...told, value: 5.5, fresh: false, lane: null, view: null } });
        await expectRefusal(client.read("queue", [{ code }]), "MISSING_FIELD", '"bags"');
        await expectRefusal(client.read("queue", [{ code, bags: "2.5" }]), "BAD_VALUE", '"bags"');
      });

      it("are found by keys of every type, given as number, bigint or text", async () => {
        const [airport, id] = [newCode(), randomUUID()];
        const key = { airport, number: 12, id: id.toUpperCase() };
        const after = await written(client, gates.name, [{ key, features: { isOpen: true } }]);
        const rows = await client.read(
          "boards",
          [
            { at: airport, number: 12, id },
            { at: airport, number: 12n, id },
            { at: airport, number: "12", id: id.toUpperCase() },
            { at: airport, number: 13, id },
          ],
          { after },
        );
        expect(rows.map((row) => row.isOpen)).toEqual([true, true, true, null]);
        const [typed] = await client.read(boards, [{ at: airport, number: 12, id }]);
        expect(typed?.isOpen).toBe(true);
      });

      it("come in the order of the keys, repeated keys and chosen features included", async () => {
        const codes = [newCode(), newCode()];
        const after = await written(
          client,
          "all_types",
          codes.map((code, n) => ({ key: { code }, features: { ratio: n / 2 } })),
        );
        const keys = [codes[1], codes[0], newCode(), codes[1]].map((code) => ({ code: code as string }));
        const reply = await client.readReply("tower", keys, { after, features: ["ratio"] });
        expect(reply.columns).toEqual([{ name: "ratio", values: [0.5, 0, null, 0.5] }]);
        expect(await client.read("tower", keys, { features: ["ratio"] })).toEqual([
          { ratio: 0.5 },
          { ratio: 0 },
          { ratio: null },
          { ratio: 0.5 },
        ]);
      });

      it("of more keys than one request takes come in one piece, in order", async () => {
        const code = newCode();
        const after = await written(client, "all_types", [{ key: { code }, features: { ratio: 0.25 } }]);
        const wanted = new Set([0, limits.readEntitiesMax - 1, limits.readEntitiesMax, 4_999]);
        const keys = Array.from({ length: 5_000 }, (_, n) => ({ code: wanted.has(n) ? code : `none-${n}` }));
        const rows = await client.read(tower, keys, { after, detail: true, features: ["ratio"], timeoutMs: 20_000 });
        expect(rows).toHaveLength(5_000);
        const found = rows.flatMap((row, n) => (row.ratio.status === "PRESENT" ? [n] : []));
        expect(found).toEqual([...wanted]);
        expect(rows[4_999]?.ratio).toMatchObject({ value: 0.25, lane: "direct", view: "all_types" });
        expect(rows[4_998]?.ratio).toMatchObject({ value: null, lane: "direct", eventTime: null });
      });
    });

    describe("what the lanes say", () => {
      it("is told with status, age, lane, view and freshness", async () => {
        const code = newCode();
        const now = rig.now();
        await rig.set(airportNow, code, { departures_15m: 3 }, now - minute);
        await rig.set(profile, code, { flights: 12 }, now - 3 * hour);
        const rows = [{ key: { code }, features: { ratio: 0.5 }, eventTime: now - 2 * hour }];
        const after = await written(client, "all_types", rows);
        const [row] = await client.read(tower, [{ code }], { after, detail: true });
        const told = { eventTime: expect.any(Date), ageMs: expect.any(Number) };
        expect(row).toEqual({
          departures_15m: { ...told, value: 3, status: "PRESENT", fresh: true, lane: "stream", view: "airport_now" },
          flights: { ...told, value: 12, status: "PRESENT", fresh: false, lane: "batch", view: "profile" },
          ratio: { ...told, value: null, status: "OUTSIDE_MAX_AGE", fresh: false, lane: "direct", view: "all_types" },
        });
        expect(row?.flights.eventTime).toEqual(new Date(now - 3 * hour));
        expect(row?.flights.ageMs).toBeGreaterThanOrEqual(3 * hour);
      });

      it("is as young as its confirmation", async () => {
        const code = newCode((partition) => partition === suite);
        const now = rig.now();
        await rig.set(profile, code, { flights: 1, delay: 5 }, now - 30 * hour);
        const read = async () => (await client.read(planning, [{ code }], { detail: true }))[0]?.p_delay;
        expect(await read()).toMatchObject({ value: -1, status: "OUTSIDE_MAX_AGE" });
        await rig.confirm(profile, code, now - hour);
        expect(await read()).toMatchObject({
          value: 5,
          status: "PRESENT",
          fresh: true,
          eventTime: new Date(now - 30 * hour),
        });
      });

      it("is overridden while a layer lives, and its own again when the layer is withdrawn", async () => {
        const code = newCode();
        const now = rig.now();
        await rig.set(profile, code, { delay: 10, flights: 3 }, now - minute);
        const read = async (after: readonly WriteToken[]) =>
          (await client.read(planning, [{ code }], { after, detail: true }))[0]?.p_delay;
        const write = (row: object) => written(client, desk.name, [{ key: { code }, ...row }]);
        const told = ({ value, lane, view, status }: NonNullable<Awaited<ReturnType<typeof read>>>) => [
          value,
          lane,
          view,
          status,
        ];
        const values = [
          await read(await write({ features: { delay: 99 } })),
          await read(await write({ features: { delay: null } })),
          await read(await write({ withdraw: ["delay"] })),
        ];
        expect(values.map((value) => value && told(value))).toEqual([
          [99, "direct", "desk", "PRESENT"],
          [-1, "direct", "desk", "NULL_VALUE"],
          [10, "batch", "profile", "PRESENT"],
        ]);
      });

      it("stays with the greatest event time, whatever comes last", async () => {
        const code = newCode();
        const now = rig.now();
        await rig.set(profile, code, { flights: 2 }, now - minute);
        await rig.set(profile, code, { flights: 1 }, now - hour);
        const [row] = await client.read(tower, [{ code }]);
        expect(row?.flights).toBe(2);
      });
    });

    describe("a write", () => {
      const read = async (code: string, after: readonly WriteToken[]) =>
        (await client.read(everything, [{ code }], { after, features: ["ratio", "text"] }))[0];

      it("is read by its token, and keeps the cells that it does not carry", async () => {
        const code = newCode();
        await written(client, "all_types", [{ key: { code }, features: { ratio: 0.1, text: "kept" } }]);
        const after = await written(client, "all_types", [{ key: { code }, features: { ratio: 0.2 } }]);
        expect(await read(code, after)).toEqual({ ratio: 0.2, text: "kept" });
      });

      it("loses to a greater event time, cell by cell, and beats an equal one that came before", async () => {
        const code = newCode();
        const now = rig.now();
        const tokens = [];
        for (const [features, eventTime] of [
          [{ ratio: 0.5 }, now - 1_000],
          [{ ratio: 0.1, text: "older" }, now - 2_000],
          [{ text: "same time, later" }, now - 2_000],
        ] as const) {
          tokens.push(...(await written(client, "all_types", [{ key: { code }, features, eventTime }])));
        }
        expect(await read(code, tokens)).toEqual({ ratio: 0.5, text: "same time, later" });
      });

      it("of two rows with one key leaves the later row", async () => {
        const code = newCode();
        const rows = [0.1, 0.2].map((ratio) => ({ key: { code }, features: { ratio }, eventTime: rig.now() - 1_000 }));
        expect(await read(code, await written(client, "all_types", rows))).toMatchObject({ ratio: 0.2 });
      });

      it("withdraws what it names", async () => {
        const code = newCode();
        await written(client, "all_types", [{ key: { code }, features: { ratio: 0.1, text: "stays" } }]);
        const after = await written(client, "all_types", [{ key: { code }, withdraw: ["ratio"] }]);
        expect(await read(code, after)).toEqual({ ratio: null, text: "stays" });
      });

      it("tells each row's own outcome, with a token that names what was written", async () => {
        const code = newCode();
        const reply = await client.write("all_types", [
          { key: { code }, features: { ratio: 0.1, text: null } },
          { key: { code }, features: { ratio: 7 } },
        ]);
        expect(reply).toEqual({
          accepted: 1,
          refused: 1,
          unknown: 0,
          outcomes: [
            {
              kind: "accepted",
              token: {
                view: "all_types",
                key: code,
                features: ["ratio", "text"],
                eventTime: null,
                incarnation: expect.any(Number),
                sequence: expect.any(Number),
                row: 0,
              },
            },
            {
              kind: "refused",
              code: "BAD_VALUE",
              message: 'feature "ratio" must be at most 1',
              hint: expect.any(String),
            },
          ],
        });
      });

      it.each<[string, (code: string) => object, ErrorCode, string]>([
        [
          "an unknown feature",
          (code) => ({ key: { code }, features: { hue: 1 } }),
          "UNKNOWN_FEATURE",
          'has no feature "hue"',
        ],
        ["an unknown feature withdrawn", (code) => ({ key: { code }, withdraw: ["hue"] }), "UNKNOWN_FEATURE", '"hue"'],
        ["no key", () => ({ key: {}, features: { ratio: 0 } }), "MISSING_KEY", '"code"'],
        ["a key too many", (code) => ({ key: { code, x: 1 }, features: { ratio: 0 } }), "UNKNOWN_KEY", '"x"'],
        ["an empty key", () => ({ key: { code: "" }, features: { ratio: 0 } }), "BAD_KEY", "is empty"],
        [
          "a value of another type",
          (code) => ({ key: { code }, features: { ratio: "0.5" } }),
          "BAD_VALUE",
          "finite number",
        ],
        ["a value below the least", (code) => ({ key: { code }, features: { ratio: -1 } }), "BAD_VALUE", "at least 0"],
        [
          "a value that is not listed",
          (code) => ({ key: { code }, features: { colour: "blue" } }),
          "BAD_VALUE",
          "red, green",
        ],
        [
          "an int64 beyond the safe range",
          (code) => ({ key: { code }, features: { whole: 2n ** 60n } }),
          "BAD_VALUE",
          "2^53",
        ],
        [
          "a vector of another dimension",
          (code) => ({ key: { code }, features: { embedding: [1] } }),
          "BAD_VALUE",
          "3 numbers",
        ],
        [
          "a null where none may be",
          (code) => ({ key: { code }, features: { name: null } }),
          "BAD_VALUE",
          "must not be null",
        ],
        ["a text that is too short", (code) => ({ key: { code }, features: { name: "x" } }), "BAD_VALUE", '"name"'],
        ["a NaN", (code) => ({ key: { code }, features: { ratio: Number.NaN } }), "BAD_VALUE", "finite number"],
        ["nothing to write", (code) => ({ key: { code } }), "BAD_VALUE", "neither writes nor withdraws"],
        [
          "a feature both ways",
          (code) => ({ key: { code }, features: { ratio: 0 }, withdraw: ["ratio"] }),
          "BAD_VALUE",
          "both",
        ],
        [
          "a time without a zone",
          (code) => ({ key: { code }, features: { ratio: 0 }, eventTime: "2001-01-01T00:00" }),
          "BAD_TIME",
          "zone",
        ],
      ])("with %s is refused, saying which", async (_what, rowOf, code, message) => {
        const reply = await client.write("all_types", [rowOf(newCode())] as never);
        expect(reply.outcomes).toEqual([
          { kind: "refused", code, message: expect.stringContaining(message), hint: expect.any(String) },
        ]);
      });

      it("with an event time from the future is refused", async () => {
        const row = { key: { code: newCode() }, features: { ratio: 0 }, eventTime: rig.now() + 10 * minute };
        const reply = await client.write(allTypes, [row]);
        expect(reply.outcomes).toMatchObject([{ kind: "refused", code: "FUTURE_TIME" }]);
      });

      it("that concerns no row is refused whole", async () => {
        const row = { key: { code: newCode() }, features: { ratio: 0 } };
        await expectRefusal(client.write("nope", [row]), "UNKNOWN_VIEW", '"nope"');
        await expectRefusal(client.write("profile", [row]), "WRONG_LANE", "batch lane");
        await expectRefusal(client.write("all_types", []), "MALFORMED", "rows");
        await expectRefusal(
          client.write("all_types", Array(limits.writeRowsMax + 1).fill(row)),
          "LIMIT_EXCEEDED",
          "writeRowsMax",
        );
        const large = { ...row, features: { raw: new Uint8Array(limits.writeBytesMax) } };
        await expectRefusal(client.write("all_types", [large]), "LIMIT_EXCEEDED", String(limits.writeBytesMax));
        await expectRefusal(
          client.write("all_types", [{ ...row, features: { ratio: () => 1 } }]),
          "BAD_VALUE",
          "features.ratio",
        );
      });

      it("under an idempotency key gets its first outcome again, and another body is refused", async () => {
        const [code, idempotencyKey] = [newCode(), randomUUID()];
        const write = (ratio: number) =>
          client.write("all_types", [{ key: { code }, features: { ratio } }], { idempotencyKey });
        const first = await write(0.1);
        const [token] = tokensOf(first);
        expect(token?.eventTime).toBeGreaterThan(rig.now() - 10 * minute);
        const after = await written(client, "all_types", [{ key: { code }, features: { ratio: 0.9 } }]);
        expect(await write(0.1)).toEqual(first);
        await expectRefusal(write(0.2), "BAD_VALUE", "another request");
        expect(await read(code, after)).toMatchObject({ ratio: 0.9 });
      });

      it("that was refused whole leaves its idempotency key free", async () => {
        const [code, idempotencyKey] = [newCode(), randomUUID()];
        const write = (ratio: number) =>
          client.write("all_types", [{ key: { code }, features: { ratio } }], { idempotencyKey });
        expect(await write(7)).toMatchObject({ refused: 1 });
        expect(await write(1)).toMatchObject({ accepted: 1 });
      });
    });

    describe("a read", () => {
      it.each<[string, (client: Tributary) => Promise<unknown>, ErrorCode, string]>([
        ["of an unknown feature service", (it) => it.read("nope", [{ code: "A" }]), "UNKNOWN_SERVICE", '"nope"'],
        [
          "of an unknown feature",
          (it) => it.read("tower", [{ code: "A" }], { features: ["nope"] }),
          "UNKNOWN_FEATURE",
          '"nope"',
        ],
        ["without a key", (it) => it.read("tower", [{}]), "MISSING_KEY", '"code"'],
        ["with a key too many", (it) => it.read("tower", [{ code: "A", gate: "1" }]), "UNKNOWN_KEY", '"gate"'],
        ["with an empty key", (it) => it.read("tower", [{ code: "" }]), "BAD_KEY", "is empty"],
        ["with a key of another type", (it) => it.read("tower", [{ code: 5 }]), "BAD_KEY", "must be string"],
        ["of no keys", (it) => it.read("tower", []), "MALFORMED", "keys"],
      ])("%s is refused, saying which", async (_what, read, code, message) => {
        await expectRefusal(read(client), code, message);
      });

      it("after a write that never came ends with TOKEN_TIMEOUT, and of an unknown view at once", async () => {
        const [token] = await written(client, "all_types", [{ key: { code: newCode() }, features: { ratio: 0 } }]);
        if (!token) throw new Error("no token");
        const afterToken = (more: Partial<WriteToken>) => ({ after: [{ ...token, ...more }], waitMs: 50 });
        const never = client.read(
          everything,
          [{ code: "A" }],
          afterToken({ key: newCode(), sequence: token.sequence + 1_000_000 }),
        );
        await expectRefusal(never, "TOKEN_TIMEOUT", "all_types");
        await expectRefusal(
          client.read(everything, [{ code: "A" }], afterToken({ view: "nope" })),
          "UNKNOWN_VIEW",
          "nope",
        );
      });
    });

    describe("publishing", () => {
      it("resolves when the events are stored, in order, as they travel", async () => {
        const origin = newCode();
        const at = new Date("2001-03-04T05:06:07Z");
        const ack = await client.publish(departures, [
          { origin, delay: 1, at },
          { origin, delay: 2, at: "2001-03-04T05:06:07Z" },
        ]);
        expect(ack).toEqual({ stream: "TRIB_EVENTS", sequence: expect.any(Number), duplicate: false });
        await client.publish("departures", { origin, delay: 3, colour: "any" });
        expect(
          (await rig.events("departures")).filter((event) => "origin" in event && event.origin === origin),
        ).toEqual([
          { origin, delay: 1, at: at.getTime() },
          { origin, delay: 2, at: "2001-03-04T05:06:07Z" },
          { origin, delay: 3, colour: "any" },
        ]);
      });

      it("again under the same id stores once, and another source's ids are its own", async () => {
        const id = `file ${randomUUID()} ☂`;
        const origin = newCode();
        const first = await client.publish(departures, { origin, delay: 1 }, { id });
        expect(await client.publish(departures, { origin, delay: 1 }, { id })).toEqual({ ...first, duplicate: true });
        expect(await client.publish(arrivals, { destination: origin }, { id })).toMatchObject({ duplicate: false });
        const stored = (await rig.events("departures")).filter((event) => "origin" in event && event.origin === origin);
        expect(stored).toHaveLength(1);
      });

      it("refuses what cannot be stored or could never be read", async () => {
        await expectRefusal(client.publish("no.such source", {}), "UNKNOWN_SOURCE", "letters, digits");
        await expectRefusal(client.publish("departures", []), "MALFORMED", "no events");
        await expectRefusal(client.publish("departures", [], { id: "x" }), "MALFORMED", "no events");
        await expectRefusal(client.publish("departures", {}, { id: "" }), "MALFORMED", "1 to 128");
        await expectRefusal(client.publish("departures", { odd: () => 1 }), "BAD_VALUE", "departures.odd");
        const large = { text: "x".repeat(limits.eventBytesMax) };
        await expectRefusal(client.publish("departures", large), "LIMIT_EXCEEDED", "eventBytesMax");
        const many = Array.from({ length: 10 }, () => ({ text: "x".repeat(limits.eventBytesMax / 8) }));
        await expectRefusal(
          client.publish("departures", many, { id: randomUUID() }),
          "LIMIT_EXCEEDED",
          "eventBytesMax",
        );
        expect(await client.publish("departures", many)).toMatchObject({ duplicate: false });
      });
    });
  });
}

/** A confirmation is of a whole partition, and suites may share a store: each confirms one that holds no other key. */
const confirmedPartitions = 8;
let suites = 0;

function newCode(fits = (partition: number) => partition >= confirmedPartitions): string {
  for (;;) {
    const code = `k-${randomUUID()}`;
    if (fits(partitionOf(code, defaultPartitions))) return code;
  }
}

async function written(client: Tributary, view: string, rows: readonly object[]): Promise<WriteToken[]> {
  const tokens = tokensOf(await client.write(view, rows as never));
  expect(tokens).toHaveLength(rows.length);
  return tokens;
}

function tokensOf(reply: WriteReply): WriteToken[] {
  return reply.outcomes.map((outcome) => {
    if (outcome.kind !== "accepted") throw new Error(`${outcome.code} ${outcome.message}`);
    return outcome.token;
  });
}

async function expectRefusal(call: Promise<unknown>, code: ErrorCode, message: string): Promise<void> {
  await expect(call).rejects.toMatchObject({ name: "TributaryError", code, message: expect.stringContaining(message) });
}

/** Bytes as numbers, so that a Buffer equals a Uint8Array. */
function plain(row: object | undefined): object {
  const entries = Object.entries(row ?? {}).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? [...value] : value,
  ]);
  return Object.fromEntries(entries);
}
