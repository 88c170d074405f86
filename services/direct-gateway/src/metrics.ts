import type { ErrorCode } from "@tributary/shared/contracts/errors";
import type { WriteReply } from "@tributary/shared/contracts/write";

/** Counters since start, as Prometheus text. */
export interface Metrics {
  countReply(reply: WriteReply): void;
  countEvents(events: number): void;
  /** A request of which nothing was written. */
  countError(code: ErrorCode): void;
  text(): string;
}

export function createMetrics(): Metrics {
  const rows = { accepted: 0, refused: 0, unknown: 0 };
  const errors = new Map<string, number>();
  let events = 0;
  return {
    countReply: (reply) => {
      for (const outcome of ["accepted", "refused", "unknown"] as const) rows[outcome] += reply[outcome];
    },
    countEvents: (more) => {
      events += more;
    },
    countError: (code) => errors.set(code, (errors.get(code) ?? 0) + 1),
    text: () =>
      [
        "# TYPE tributary_gateway_rows_total counter",
        ...Object.entries(rows).map(([outcome, n]) => `tributary_gateway_rows_total{outcome="${outcome}"} ${n}`),
        "# TYPE tributary_gateway_events_total counter",
        `tributary_gateway_events_total ${events}`,
        "# TYPE tributary_gateway_request_errors_total counter",
        ...[...errors].map(([code, n]) => `tributary_gateway_request_errors_total{code="${code}"} ${n}`),
        "",
      ].join("\n"),
  };
}
