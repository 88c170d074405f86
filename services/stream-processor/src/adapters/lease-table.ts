import type { SqlQuery } from "@tributary/shared/runtime/lease";

/** Leases that say nothing but that an instance lives. */
const instancePrefix = "stream:instance:";

export function instanceLease(instance: string): string {
  return instancePrefix + instance;
}

/** Who holds these leases now, and how many instances live; a lease without a holder is missing. */
export async function readLeaseTable(
  query: SqlQuery,
  names: readonly string[],
): Promise<{ readonly holders: ReadonlyMap<string, string>; readonly instances: number }> {
  const { rows } = await query(
    "select name, owner from leases where until > now() and (name = any($1) or starts_with(name, $2))",
    [names, instancePrefix],
  );
  const leases = rows.map(({ name, owner }) => [String(name), String(owner)] as const);
  const isInstance = (name: string) => name.startsWith(instancePrefix);
  return {
    holders: new Map(leases.filter(([name]) => !isInstance(name))),
    instances: leases.filter(([name]) => isInstance(name)).length,
  };
}
