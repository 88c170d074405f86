import { compileDefinitions } from "@tributary/shared/definitions/compile";
import { entity } from "@tributary/shared/definitions/entity";
import { float64, int64, string, timestamp, vector } from "@tributary/shared/definitions/feature-type";
import { tableSource } from "@tributary/shared/definitions/source";
import { batchView, directView } from "@tributary/shared/definitions/view";

const airport = entity("airport", { key: { code: string() } });

export const congestion = directView("congestion", {
  entity: airport,
  producers: ["tower-model"],
  freshness: "1m",
  features: {
    score: float64({ min: 0, max: 1 }),
    reason: string(),
    scoredAt: timestamp(),
    embedding: vector(3),
    note: string({ minLength: 2, maxLength: 3, nullable: false }),
    serial: int64({ as: "bigint", max: 2 ** 62 }),
  },
});

const flights = tableSource("flights", { format: "parquet", files: ["raw/*.parquet"], fields: { code: string() } });

export const profile = batchView("profile", {
  entity: airport,
  from: [flights],
  sql: "select code, count(*) as flights from flights group by code",
  every: "1h",
  freshness: "2h",
  features: { flights: int64() },
});

export const body = compileDefinitions([congestion, profile]);
