import { TributaryError } from "../contracts/errors.ts";
import { bucketTable, consumerTable, streamTable } from "../contracts/topology.ts";
import type { Connection } from "./contract.ts";
import { ApiError, apiErrors, callApi, refusal } from "./jetstream-api.ts";
import {
  bucketConfig,
  consumerConfig,
  differingFields,
  fixedFields,
  type ResourceConfig,
  streamConfig,
} from "./topology-config.ts";

export type ResourceKind = "stream" | "consumer" | "bucket";

export interface EnsuredResource {
  readonly kind: ResourceKind;
  /** A consumer's is `<stream>/<durable>`. */
  readonly name: string;
  readonly result: "created" | "verified" | "updated";
  /** The fields that an update changed. */
  readonly changed: readonly string[];
}

export interface EnsureReport {
  readonly resources: readonly EnsuredResource[];
}

/**
 * Creates or verifies every declared stream, bucket and consumer. Idempotent. Each is read back, because a 2.9 server ignores
 * fields that it does not know without a word.
 * @throws TributaryError BAD_CONFIG naming resource and field when a difference cannot be mended, or storage is short
 */
export async function ensureTopology(connection: Connection): Promise<EnsureReport> {
  const resources: EnsuredResource[] = [];
  for (const resource of declaredResources(connection.serverVersion)) {
    resources.push(await ensure(connection, resource));
  }
  return { resources };
}

/**
 * Checks without changing anything.
 * @throws TributaryError MISSING_RESOURCE naming all that is absent; BAD_CONFIG naming all that differs
 */
export async function verifyTopology(connection: Connection): Promise<void> {
  const missing: string[] = [];
  const differing: string[] = [];
  for (const resource of declaredResources(connection.serverVersion)) {
    const actual = await readConfig(connection, resource);
    if (actual === undefined) missing.push(label(resource));
    else differing.push(...differingFields(resource.config, actual).map((field) => `${label(resource)}: ${field}`));
  }
  if (missing.length > 0) {
    throw new TributaryError("MISSING_RESOURCE", `${missing.join(", ")} missing; run \`tributary admin ensure\``);
  }
  if (differing.length > 0) throw new TributaryError("BAD_CONFIG", `not as declared: ${differing.join(", ")}`);
}

interface Resource {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly config: ResourceConfig;
  readonly infoVerb: string;
  readonly createVerb: string;
  readonly updateVerb: string;
  readonly toBody: (config: ResourceConfig, action: "create" | "update") => unknown;
}

function declaredResources(serverVersion: string): Resource[] {
  return [
    ...streamTable.map((spec) => streamResource("stream", spec.name, streamConfig(spec))),
    ...bucketTable.map((spec) => streamResource("bucket", spec.name, bucketConfig(spec))),
    ...consumerTable.map((spec) => consumerResource(spec.stream, consumerConfig(spec), serverVersion)),
  ];
}

function streamResource(kind: ResourceKind, name: string, config: ResourceConfig): Resource {
  return {
    kind,
    name,
    config,
    infoVerb: `STREAM.INFO.${config.name}`,
    createVerb: `STREAM.CREATE.${config.name}`,
    updateVerb: `STREAM.UPDATE.${config.name}`,
    toBody: (body) => body,
  };
}

/** Before 2.10 there is no `action`: creating again with another config is the update. */
function consumerResource(stream: string, config: ResourceConfig, serverVersion: string): Resource {
  const path = `${stream}.${config.durable_name}`;
  const hasAction = !serverVersion.startsWith("2.9.");
  return {
    kind: "consumer",
    name: `${stream}/${config.durable_name}`,
    config,
    infoVerb: `CONSUMER.INFO.${path}`,
    createVerb: `CONSUMER.DURABLE.CREATE.${path}`,
    updateVerb: `CONSUMER.DURABLE.CREATE.${path}`,
    toBody: (body, action) => ({ stream_name: stream, config: body, ...(hasAction ? { action } : {}) }),
  };
}

function label(resource: Resource): string {
  return `${resource.kind} ${resource.name}`;
}

type ActualConfig = Readonly<Record<string, unknown>>;

async function ensure(connection: Connection, resource: Resource): Promise<EnsuredResource> {
  const { kind, name, config } = resource;
  const before = await readConfig(connection, resource);
  if (before === undefined) {
    await change(connection, resource, { verb: resource.createVerb, body: resource.toBody(config, "create") });
    return { kind, name, result: "created", changed: [] };
  }
  const changed = differingFields(config, before);
  if (changed.length === 0) return { kind, name, result: "verified", changed };
  refuseFixed(resource, changed, before);
  const body = resource.toBody({ ...(before as ResourceConfig), ...config }, "update");
  await change(connection, resource, { verb: resource.updateVerb, body });
  return { kind, name, result: "updated", changed };
}

async function readConfig(connection: Connection, resource: Resource): Promise<ActualConfig | undefined> {
  try {
    return (await callApi<{ readonly config: ActualConfig }>(connection, resource.infoVerb)).config;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw refusal(error, label(resource));
  }
}

function refuseFixed(resource: Resource, changed: readonly string[], actual: ActualConfig): void {
  const field = changed.find((name) => fixedFields.has(name));
  if (field === undefined) return;
  const [is, must] = [actual[field], resource.config[field]].map((value) => JSON.stringify(value));
  const what = `${label(resource)}: ${field} is ${is} and must be ${must}`;
  throw new TributaryError("BAD_CONFIG", `${what}, which cannot be changed; move its messages and delete it`);
}

async function change(
  connection: Connection,
  resource: Resource,
  call: { readonly verb: string; readonly body: unknown },
): Promise<void> {
  try {
    await callApi(connection, call.verb, call.body);
  } catch (error) {
    throw changeError(error, resource);
  }
  const after = (await readConfig(connection, resource)) ?? {};
  const field = differingFields(resource.config, after)[0];
  if (field === undefined) return;
  const [is, must] = [after[field], resource.config[field]].map((value) => JSON.stringify(value));
  throw new TributaryError("BAD_CONFIG", `${label(resource)}: the server keeps ${field} ${is} instead of ${must}`);
}

function changeError(error: unknown, resource: Resource): unknown {
  if (!(error instanceof ApiError)) return error;
  const isShort = apiErrors.resourcesExceeded.some((code) => code === error.errorCode);
  const hint = isShort ? "; raise max_file_store in nats-server's configuration, or free disk space" : "";
  return new TributaryError("BAD_CONFIG", `${label(resource)}: ${error.message} (${error.errorCode})${hint}`);
}
