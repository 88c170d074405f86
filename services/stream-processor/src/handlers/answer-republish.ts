import { decodePayload, encodePayload } from "@tributary/shared/codec/json-or-msgpack";
import { TributaryError } from "@tributary/shared/contracts/errors";
import { type StreamRepublishRequest, streamRepublishSchema } from "@tributary/shared/contracts/republish";
import { subjects } from "@tributary/shared/contracts/subjects";
import type { Endpoint } from "@tributary/shared/messaging/contract";
import { PartitionOwner } from "./partition-owner.ts";
import type { Worker } from "./parts.ts";

/** `stream.republish.<pNN>`: every instance hears it, the one that owns the partition answers. */
export function republishEndpoint(workers: () => readonly Worker[]): Endpoint {
  const ownerOf = (subject: string): PartitionOwner | undefined =>
    workers()
      .filter((worker) => worker instanceof PartitionOwner)
      .find((owner) => subjects.streamRepublish(owner.partition) === subject && owner.isInCharge);
  return {
    name: "stream-republish",
    subject: subjects.streamRepublish("*"),
    isMine: ({ subject }) => ownerOf(subject) !== undefined,
    concurrencyMax: 1_024,
    handle: async ({ subject, data, deadlineMs }) => {
      const { value, encoding } = decodePayload(data);
      const owner = ownerOf(subject);
      if (owner === undefined)
        throw new TributaryError("UNAVAILABLE", `${subject}: its owner has just changed; ask again`);
      return encodePayload(await owner.republish(requestOf(value), deadlineMs), encoding);
    },
  };
}

function requestOf(value: unknown): StreamRepublishRequest {
  const parsed = streamRepublishSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") || "(top)";
  throw new TributaryError("MALFORMED", `a republish is { id, view? }: ${field} is missing or of the wrong form`);
}
