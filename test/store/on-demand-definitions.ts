import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { onDemandFeature } from "@tributary/shared/definitions/on-demand";
import { tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView } from "@tributary/shared/definitions/view";

/** Features of one row three ways: stored as they are, computed by SQL, computed when they are read. */
export const parcel = entity("parcel", { key: { id: string() } });

const nullable = { nullable: true } as const;
const parcels = tableSource("parcels", {
  format: "csv",
  files: ["raw/parcels/*.csv"],
  fields: {
    id: string(),
    weight: float64(nullable),
    pieces: int64(nullable),
    place: string(nullable),
    sent: timestamp(nullable),
  },
});

const inputs = { weight: float64(), pieces: int64() };
export const each = onDemandFeature("each", {
  inputs,
  type: float64(),
  cel: "weight == null ? -1.0 : weight * 2 / pieces",
  description: "twice the weight of a piece",
});
export const label = onDemandFeature("label", {
  inputs: { place: string(), weight: float64() },
  type: string(),
  cel: "place == null ? 'nowhere' : place.upperAscii() + (weight != null && weight >= 0 ? '+' : '-')",
});
export const halves = onDemandFeature("halves", { inputs, type: int64(), cel: "weight * pieces" });
export const due = onDemandFeature("due", {
  inputs: { sent: timestamp(), pieces: int64() },
  type: timestamp(),
  cel: "sent + pieces * 3600000",
});
/** Named as a request brings it. */
export const quote = onDemandFeature("quote", {
  inputs: { weight: float64(), price: float64(), since: timestamp(nullable) },
  type: float64(),
  cel: "(weight == null ? 1.0 : weight) * price + (since == null ? 0.0 : since)",
});

const columns = {
  weight: float64(),
  pieces: int64(),
  place: string(),
  sent: timestamp(),
};
export const packed = batchView("packed", {
  entity: parcel,
  from: [parcels],
  every: "15m",
  freshness: "1h",
  features: { ...columns, sqlEach: float64(), sqlLabel: string(), sqlHalves: int64(), sqlDue: timestamp() },
  sql: `select id, weight, pieces, place, sent, EACH(weight, pieces) as "sqlEach", label(place, weight) as "sqlLabel",
          halves(weight, pieces) as "sqlHalves", due(sent, pieces) as "sqlDue" from parcels`,
});
export const desk = directView("desk", {
  entity: parcel,
  producers: ["desk"],
  freshness: "1h",
  features: { weight: float64(), note: string({ default: "none" }) },
});
export const shipping = featureService("shipping", [
  packed,
  each.from({ weight: "weight", pieces: "pieces" }),
  label.from({ place: "place", weight: "weight" }),
  halves.from({ weight: "weight", pieces: "pieces" }),
  due.from({ sent: "sent", pieces: "pieces" }),
]);
/** Layers, prefixes and renamed columns below, one on-demand feature of another, and request fields. */
export const counter = featureService("counter", [
  packed.on({ id: "parcel" }).pick("weight", "pieces").overriddenBy(desk).prefix("p_").rename({ p_weight: "kilos" }),
  desk.on({ id: "parcel" }).pick("note"),
  quote.from({ weight: "kilos" }),
  quote.as("doubled").from({ weight: "quote" }),
  label.as("tag").from({ place: "note", weight: "doubled" }),
]);
/** Its SQL calls a name that the engine has a function for. */
export const clash = onDemandFeature("lower", { inputs: { place: string() }, type: string(), cel: "place" });
export const clashing = batchView("clashing", {
  entity: parcel,
  from: [parcels],
  every: "15m",
  freshness: "1h",
  features: { place: string() },
  sql: "select id, lower(place) as place from parcels",
});
