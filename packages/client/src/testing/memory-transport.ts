import { admitRows, planRows } from "@tributary/shared/admission/admission";
import { pack, unpack } from "@tributary/shared/codec/msgpack";
import type { Catalog } from "@tributary/shared/contracts/catalog";
import { type ErrorCode, TributaryError } from "@tributary/shared/contracts/errors";
import type { PublishAck } from "@tributary/shared/messaging/contract";
import { writeRequest } from "../requests.ts";
import type { EventMessage, Transport } from "../transport.ts";
import type { WriteRow } from "../tributary.ts";
import { MemoryCells } from "./memory-cells.ts";
import { MemoryEvents } from "./memory-events.ts";
import { answerRead } from "./memory-read.ts";
import { MemoryStream } from "./memory-stream.ts";
import { MemoryGateway } from "./memory-write.ts";
import type { TestClock } from "./test-clock.ts";

/** Gateway, broker and store inside the process. Requests travel as bytes, so that values come back as they do from servers. */
export class MemoryTransport implements Transport {
  readonly #catalog: Catalog;
  readonly #clock: TestClock;
  readonly #cells = new MemoryCells();
  readonly #rows = new MemoryStream();
  /** Counts what other lanes publish: at equal event times the later one stays. */
  readonly #laneRows = new MemoryStream();
  readonly #confirmed = new Map<string, number>();
  readonly #gateway = new MemoryGateway();
  readonly #events = new MemoryEvents();

  readonly #failures: ErrorCode[] = [];

  constructor(catalog: Catalog, clock: TestClock) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  async read(body: Uint8Array): Promise<Uint8Array> {
    this.#failIfTold();
    return pack(answerRead({ ...this.#world(), confirmed: this.#confirmed }, unpack(body)));
  }

  async write(body: Uint8Array): Promise<Uint8Array> {
    this.#failIfTold();
    return pack(this.#gateway.write(this.#world(), body));
  }

  async publish(message: EventMessage): Promise<PublishAck> {
    this.#failIfTold();
    return this.#events.publish(message, this.#clock.now());
  }

  async close(): Promise<void> {}

  events(source: string): Record<string, unknown>[] {
    return this.#events.of(source).map((event) => ({ ...event }));
  }

  /** A row of a batch or stream view, judged as a write's row is. */
  set(viewName: string, row: WriteRow): void {
    const plan = planRows(this.#catalog, viewName);
    if (plan.view.lane === "direct") {
      throw new TributaryError("WRONG_LANE", `view "${viewName}" is written by the application: use write`);
    }
    const nowMs = this.#clock.now();
    const { admitted, refused } = admitRows(plan, writeRequest(viewName, [row], {}).rows, nowMs);
    for (const { code, message } of refused) throw new TributaryError(code as ErrorCode, message);
    const stamp = { incarnation: 0, sequence: this.#laneRows.next(), minor: 0 };
    for (const one of admitted) this.#cells.merge(viewName, one, { eventTime: one.eventTime ?? nowMs, ...stamp });
  }

  /** A confirmation never goes back. @throws TributaryError UNKNOWN_VIEW */
  confirm(viewName: string, atMs: number): void {
    planRows(this.#catalog, viewName);
    this.#confirmed.set(viewName, Math.max(atMs, this.#confirmed.get(viewName) ?? atMs));
  }

  failNext(code: ErrorCode, calls: number): void {
    for (let n = 0; n < calls; n++) this.#failures.push(code);
  }

  #failIfTold(): void {
    const code = this.#failures.shift();
    if (code) throw new TributaryError(code, "the test told this call to fail (failNext)");
  }

  #world() {
    return { catalog: this.#catalog, cells: this.#cells, rows: this.#rows, nowMs: this.#clock.now() };
  }
}
