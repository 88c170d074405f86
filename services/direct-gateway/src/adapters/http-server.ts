import { replyStatus } from "@tributary/shared/admission/outcomes";
import { TributaryError, toWireError } from "@tributary/shared/contracts/errors";
import { limits } from "@tributary/shared/contracts/limits";
import {
  contentTypes,
  encodingOf,
  errorAnswer,
  type HttpAnswer,
  valueAnswer,
} from "@tributary/shared/runtime/http-answer";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { EventsAnswer, EventsRequest } from "../handlers/publish-events.ts";
import type { WriteAnswer } from "../handlers/write-rows.ts";

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly write: (body: Uint8Array, view?: string) => Promise<WriteAnswer>;
  readonly publish: (request: EventsRequest) => Promise<EventsAnswer>;
  /** Resolves when writes can be accepted, else throws the reason. */
  readonly checkReady: () => Promise<void>;
  readonly metricsText: () => string;
}

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

const bodyBytesMax = Math.max(limits.writeBytesMax, limits.eventBytesMax);

/** Writes and events over HTTP. @throws TributaryError BAD_CONFIG when the port is taken */
export async function startHttpServer(options: HttpOptions): Promise<HttpServer> {
  const server = fastify({ bodyLimit: bodyBytesMax, forceCloseConnections: "idle" });
  // The body stays bytes: one decoder, with its limits, serves HTTP and NATS. Other types are refused, which also keeps a
  // web page from posting here without a preflight.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(Object.values(contentTypes), { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  server.setErrorHandler((error, request, reply) => {
    const encoding = encodingOf(request.headers["content-type"]);
    return send(reply, errorAnswer(error, { encoding, bytesMax: bodyBytesMax }));
  });
  server.setNotFoundHandler((request, reply) => {
    const error = new TributaryError("MALFORMED", `there is no such ${request.method} route`);
    return reply.status(404).send({ error: toWireError(error) });
  });
  addWrites(server, options);
  addEvents(server, options);
  addProbes(server, options);
  return { url: await listen(server, options), close: () => server.close() };
}

async function listen(server: FastifyInstance, { host, port }: HttpOptions): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    throw new TributaryError("BAD_CONFIG", `cannot listen on ${host}:${port} (HTTP_HOST, HTTP_PORT)`, { cause: error });
  }
}

function addWrites(server: FastifyInstance, { write }: HttpOptions): void {
  const answer = async (body: unknown, view?: string) => {
    const { reply, encoding } = await write(bytesOf(body), view);
    return { status: replyStatus(reply), payload: { value: reply, encoding } };
  };
  server.post("/v1/rows", async (request, reply) => {
    const { status, payload } = await answer(request.body);
    return send(reply, valueAnswer(status, payload));
  });
  server.post<{ Params: { view: string } }>("/v1/views/:view/rows", async (request, reply) => {
    const { status, payload } = await answer(request.body, request.params.view);
    return send(reply, valueAnswer(status, payload));
  });
}

function addEvents(server: FastifyInstance, { publish }: HttpOptions): void {
  server.post<{ Params: { source: string }; Querystring: { id?: string | string[] } }>(
    "/v1/events/:source",
    async ({ params, query, body }, reply) => {
      const id = typeof query.id === "object" ? query.id.join() : query.id;
      const { reply: value, encoding } = await publish({ source: params.source, body: bytesOf(body), id });
      return send(reply, valueAnswer(200, { value, encoding }));
    },
  );
}

function bytesOf(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}

function addProbes(server: FastifyInstance, { checkReady, metricsText }: HttpOptions): void {
  server.get("/livez", () => ({ ok: true }));
  server.get("/readyz", async () => {
    await checkReady();
    return { ok: true };
  });
  server.get("/metrics", (_request, reply) => reply.type("text/plain; version=0.0.4").send(metricsText()));
}

function send(reply: FastifyReply, { status, headers, body }: HttpAnswer): FastifyReply {
  return reply.status(status).headers(headers).send(Buffer.from(body));
}
