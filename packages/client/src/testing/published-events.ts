import { toFeatureValue } from "@tributary/shared/codec/value-codec";
import type { EventRecord } from "@tributary/shared/contracts/events";
import type { EventSourceDefinition } from "@tributary/shared/definitions/source";
import { converterOf } from "../output-value.ts";

/**
 * Events as they travel → the declared fields as TypeScript values.
 * @throws TributaryError BAD_VALUE for a field that does not fit: with servers the event would be set aside
 */
export function typedEvents(
  { fields }: EventSourceDefinition,
  events: readonly EventRecord[],
): Record<string, unknown>[] {
  const readers = Object.entries(fields).map(([name, { type, options }]) => {
    const { of, as, dimension } = options;
    const convert = converterOf({ type, of, as });
    return [name, (value: unknown) => convert(toFeatureValue({ name, type, of, as, dimension }, value))] as const;
  });
  return events.map((event) => {
    const given = readers.filter(([name]) => event[name] !== undefined);
    return Object.fromEntries(given.map(([name, read]) => [name, read(event[name])]));
  });
}
