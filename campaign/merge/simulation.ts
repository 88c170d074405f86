import { isDeepStrictEqual } from "node:util";
import { type Records, redisRecords } from "@tributary/online-store/adapters/redis-records";
import { encodeRecord, nonceOf, recordFormat } from "@tributary/online-store/core/record";
import { writeSection } from "@tributary/online-store/core/section";
import { applyErasures, applyWrites } from "@tributary/online-store/handlers/apply-writes";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { ByteWriter } from "@tributary/shared/merge/byte-writer";
import type { Scheduler } from "fast-check";
import { type History, type Key, keys, type Message } from "./model.ts";
import { writesOf } from "./model-chunk.ts";
import { cellId, type Erased, expectedOf } from "./oracle.ts";
import { checkShown, readAt, watchReader } from "./reader.ts";
import { type Around, SimulatedRedis } from "./simulated-redis.ts";
import { keyOf, putStart } from "./start-records.ts";
import { erasedOf, storedIn, watchWrites } from "./watch.ts";

/**
 * Several writers and a reader over one record store. Between any two commands anybody may come: the scheduler says who. What runs is
 * the store's own code from the chunk's bytes to the commands to Redis; only Redis is simulated.
 * @throws Error that says what is wrong
 */
export async function runHistory(history: History, scheduler: Scheduler): Promise<void> {
  const watch = watchWrites();
  const redis = new SimulatedRedis((_, before, after) => watch(redis, before, after));
  for (const start of history.start) putStart(redis, start);
  const around = aroundOf(history, scheduler);
  const writers = history.deliveries.map((batches) => write(redisRecords(redis.connect(around)), history, batches));
  const reader = watchReader(redisRecords(redis.connect(around)), history);
  await scheduler.waitFor(Promise.all([...writers, reader]));
  await checkEnd(redis, history);
}

/** A command takes its turn to get there and its turn to be answered; some fail on one of the two ways. */
function aroundOf({ outages }: History, scheduler: Scheduler): Around {
  let commands = 0;
  return async (name, act) => {
    const outage = outages.find(({ command }) => command === commands);
    commands += 1;
    await scheduler.schedule(Promise.resolve(), name);
    if (outage?.isDone === false) throw new Error("connection lost");
    const answer = attempt(act);
    await scheduler.schedule(Promise.resolve(), `${name} answers`);
    if (outage !== undefined) throw new Error("connection lost");
    return answer();
  };
}

function attempt<T>(act: () => T): () => T {
  try {
    const answer = act();
    return () => answer;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function write(records: Records, { messages }: History, batches: readonly (readonly number[])[]): Promise<void> {
  for (const batch of batches) {
    const all = batch.map((index) => messages[index] as Message);
    await persist(() => apply(records, all));
  }
}

/** What an outage interrupts is delivered again. */
async function persist(act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await act();
      return;
    } catch (error) {
      if (!(error instanceof TributaryError && error.code === "UNAVAILABLE")) throw error;
    }
  }
}

async function apply(records: Records, batch: readonly Message[]): Promise<void> {
  const writes = batch.flatMap((message) => (message.kind === "rows" ? writesOf(message) : []));
  const applied = [await applyWrites(records, writes)];
  for (const message of batch)
    if (message.kind === "erasure")
      applied.push(await applyErasures(records, [keyOf(message.key)], () => message.version));
  if (applied.some(({ corrupt }) => corrupt.size > 0)) throw new Error("a record is taken for corrupt");
}

async function checkEnd(redis: SimulatedRedis, history: History): Promise<void> {
  const expected = expectedOf(history);
  for (const key of keys) {
    const { cells, erasure } = expected.get(key) as Erased;
    const bytes = redis.strings.get(keyOf(key));
    if (bytes === undefined && cells.size === 0 && erasure === undefined) continue;
    if (bytes === undefined) throw new Error(`${key} has no record`);
    const found = erasedOf(storedIn(redis, bytes));
    if (!isDeepStrictEqual(found, { cells, erasure })) throw new Error(differs(key, found, { cells, erasure }));
    if (bytes[0] === recordFormat) checkBytes(redis, bytes, found);
  }
  const stranger = redisRecords(redis.connect(async (_, act) => act()));
  for (const nowMs of history.readsAtMs) checkShown(await readAt(stranger, nowMs), expected, nowMs);
}

function differs(key: Key, found: Erased, expected: Erased): string {
  const ids = [...new Set([...found.cells.keys(), ...expected.cells.keys()])];
  const wrong = ids.filter((id) => !isDeepStrictEqual(found.cells.get(id), expected.cells.get(id)));
  return `${key} does not end as it must: ${wrong.length > 0 ? `cells ${wrong.join(", ")}` : "its erasure"}`;
}

/** Equal contents of equal shapes have equal bytes: writing what was read gives the same again. */
function checkBytes(redis: SimulatedRedis, bytes: Buffer, { cells }: Erased): void {
  const record = storedIn(redis, bytes);
  const sections = [...record.sections].map(([id, { shape }]) => {
    const own = [...cells].filter(([cell]) => cell.startsWith(cellId(shape.view, shape.viewVersion, "")));
    const writer = new ByteWriter();
    writeSection(
      writer,
      shape,
      own.map(([, cell]) => cell),
    );
    return [id, { shape, body: writer.copy() }] as const;
  });
  const again = encodeRecord({ ...record, sections: new Map(sections) }, nonceOf(bytes));
  if (!again.equals(bytes)) throw new Error("equal contents have different bytes");
}
