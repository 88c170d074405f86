import { entity } from "@tributary/shared/definitions/entity";
import { featureService, type KeysOfService, type RowOfService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { onDemandFeature } from "@tributary/shared/definitions/on-demand";
import { directView } from "@tributary/shared/definitions/view";

/** Compiled, never run: each wrong use is marked, so that the type check fails when a mark is not needed any more. */
const airport = entity("airport", { key: { code: string() } });
const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower"],
  freshness: "1m",
  features: { score: float64(), reason: string() },
});
const risk = onDemandFeature("risk", {
  inputs: { delay: float64(), partySize: int64(), since: timestamp({ nullable: true }) },
  type: float64(),
  cel: "delay * double(partySize)",
});
const label = onDemandFeature("label", { inputs: { value: float64() }, type: string(), cel: "string(value)" });
const gate = featureService("gate", [
  congestion.on({ code: "origin" }),
  risk.from({ delay: "score" }),
  label.as("risk_label").from({ value: "risk" }),
]);
declare const row: RowOfService<typeof gate>;

export const computed: number | null = row.risk;
export const ofComputed: string | null = row.risk_label;
export const keys: KeysOfService<typeof gate> = { origin: "ORD", partySize: 2 };
export const optional: KeysOfService<typeof gate> = { origin: "ORD", partySize: 2, since: new Date() };
export const optionalNull: KeysOfService<typeof gate> = { origin: "ORD", partySize: 2, since: null };
export const plain: KeysOfService<typeof gate> = { origin: "ORD", partySize: 2, since: "2026-01-01T00:00:00Z" };

// @ts-expect-error may be null
export const notNull: number = row.risk;
// @ts-expect-error only under its name in the feature service
export const byOwnName = row.label;
// @ts-expect-error an input that takes a column is no request field
export const mapped: KeysOfService<typeof gate> = { origin: "ORD", partySize: 2, delay: 1 };
// @ts-expect-error a request field is missing
export const missing: KeysOfService<typeof gate> = { origin: "ORD" };
// @ts-expect-error a request field of the wrong type
export const wrong: KeysOfService<typeof gate> = { origin: "ORD", partySize: "2" };
// @ts-expect-error a request field that must not be null
export const nullGiven: KeysOfService<typeof gate> = { origin: "ORD", partySize: null };
// @ts-expect-error no such input
risk.from({ dealy: "score" });
// @ts-expect-error no such column
featureService("unknown_column", [congestion, risk.from({ delay: "scores" })]);
// @ts-expect-error a column of another type
featureService("other_type", [congestion, risk.from({ delay: "reason" })]);
// @ts-expect-error a column of another type, after a sound use
featureService("second", [congestion, risk.from({ delay: "score" }), label.from({ value: "reason" })]);
// @ts-expect-error two features of one name
featureService("twice", [congestion, risk, risk.from({ delay: "score" })]);
// @ts-expect-error the name of a column
featureService("column", [congestion, risk.as("score")]);
