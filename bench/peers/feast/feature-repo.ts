/** What a Feast feature repository is to hold: one entity with an int64 key, and views of int64 features of it. */
export interface FeatureRepo {
  readonly entity: { readonly name: string; readonly key: string };
  readonly views: readonly string[];
  /** Of every view. */
  readonly features: readonly string[];
  /** A feature service has the first so many views. */
  readonly services: readonly { readonly name: string; readonly views: number }[];
  readonly redis: { readonly host: string; readonly port: number; readonly password: string };
}

/** The repository's files by name. `feast apply` reads every Python file beside the first, so nothing else may lie there. */
export function featureRepoFiles(repo: FeatureRepo): Readonly<Record<string, string>> {
  return { "feature_store.yaml": featureStore(repo), "definitions.py": definitions(repo) };
}

function featureStore({ redis }: FeatureRepo): string {
  const connection = `${redis.host}:${redis.port},password=${redis.password}`;
  return `project: bench
registry: registry.db
provider: local
entity_key_serialization_version: 3
offline_store:
  type: file
online_store:
  type: redis
  connection_string: ${JSON.stringify(connection)}
`;
}

/** Every view has a name of its own in the module: Feast does not look into lists. The source is named and never read. */
function definitions({ entity, views, features, services }: FeatureRepo): string {
  const { name, key } = entity;
  const lines = [
    "from datetime import timedelta",
    "",
    "from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType",
    "from feast.types import Int64",
    "",
    `${name} = Entity(name=${text(name)}, join_keys=[${text(key)}], value_type=ValueType.INT64)`,
    'rows = FileSource(name="rows", path="rows.parquet", timestamp_field="event_timestamp")',
    `schema = [Field(name=feature, dtype=Int64) for feature in ${JSON.stringify([key, ...features])}]`,
    "",
    ...views.map((view) => {
      const options = `entities=[${name}], ttl=timedelta(days=1), schema=schema, source=rows, online=True`;
      return `${view} = FeatureView(name=${text(view)}, ${options})`;
    }),
    "",
    ...services.map((service) => {
      const ofIt = views.slice(0, service.views).join(", ");
      return `${service.name} = FeatureService(name=${text(service.name)}, features=[${ofIt}])`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function text(value: string): string {
  return JSON.stringify(value);
}
