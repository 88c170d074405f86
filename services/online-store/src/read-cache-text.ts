import type { ReadCacheStatus } from "@tributary/shared/contracts/status";

/** The read cache as Prometheus text; nothing where there is none. */
export function readCacheLines(status: ReadCacheStatus | undefined): string[] {
  if (status === undefined) return [];
  const metric = (name: string, kind: "counter" | "gauge", value: number) => [
    `# TYPE tributary_store_read_cache_${name} ${kind}`,
    `tributary_store_read_cache_${name} ${value}`,
  ];
  return [
    ...metric("on", "gauge", status.isOn ? 1 : 0),
    ...metric("bytes", "gauge", status.bytes),
    ...metric("records", "gauge", status.records),
    ...metric("hits_total", "counter", status.hits),
    ...metric("misses_total", "counter", status.misses),
    ...metric("bypasses_total", "counter", status.bypasses),
    ...metric("invalidations_total", "counter", status.invalidations),
    ...metric("flushes_total", "counter", status.flushes),
    ...metric("dropped_fills_total", "counter", status.droppedFills),
    ...metric("evictions_total", "counter", status.evictions),
  ];
}
