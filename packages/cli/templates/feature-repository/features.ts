import { count, mean } from "@tributary/shared/definitions/aggregation";
import { entity } from "@tributary/shared/definitions/entity";
import { featureService } from "@tributary/shared/definitions/feature-service";
import { float64, int64, string, timestamp } from "@tributary/shared/definitions/feature-type";
import { eventSource, tableSource } from "@tributary/shared/definitions/source";
import { sqlFile } from "@tributary/shared/definitions/sql-file";
import { batchView, directView, streamView } from "@tributary/shared/definitions/view";

/** What the features describe: a track of a music library. Put your own thing here. */
export const track = entity("track", { key: { track: string() } });

/** Events as they happen: somebody played a track. */
export const plays = eventSource("plays", {
  fields: { track: string(), seconds: float64(), at: timestamp() },
  eventTime: "at",
  disorder: "10m",
});

/** Stream lane: what happened in the last minutes, as `plays_5m`, `plays_1h`, `secondsMean_5m` … */
export const trackNow = streamView("track_now", {
  entity: track,
  from: plays,
  keys: { track: "track" },
  windows: ["5m", "1h"],
  hop: "1m",
  freshness: "10m",
  features: { plays: count(), secondsMean: mean("seconds") },
});

/** Files: `tributary dev` shows the folder data/ to the batch lane. */
export const ratings = tableSource("ratings", {
  format: "csv",
  files: ["data/ratings.csv"],
  fields: { id: int64(), track: string(), stars: int64(), rated_at: timestamp() },
  unique: ["id"],
});

/** Batch lane: what history says, computed by SQL; only what has changed is published. */
export const trackRating = batchView("track_rating", {
  entity: track,
  from: [ratings],
  sql: sqlFile(new URL("./track_rating.sql", import.meta.url)),
  every: "15m",
  freshness: "1h",
  features: { ratings: int64(), starsMean: float64({ tolerance: 0.005 }) },
});

/** Direct lane: values that another system computed, here a model that listens. */
export const trackMood = directView("track_mood", {
  entity: track,
  producers: ["mood-model"],
  freshness: "1d",
  features: { energy: float64({ min: 0, max: 1 }), mood: string() },
});

/** What a ranker reads of a track, in one call. */
export const trackCard = featureService("track_card", [trackNow, trackRating, trackMood]);
