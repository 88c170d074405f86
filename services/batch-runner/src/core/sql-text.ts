/** A name as SQL. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** An instant, epoch ms, as an SQL timestamp in UTC. */
export function instant(epochMs: number): string {
  return `TIMESTAMP ${literal(new Date(epochMs).toISOString().replace("T", " ").replace("Z", ""))}`;
}
