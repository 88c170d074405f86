import { TributaryError, toWireError } from "@tributary/shared/contracts/errors";
import { columnsHeader } from "@tributary/shared/contracts/read";
import {
  contentHeaders,
  contentTypes,
  encodingOf,
  errorAnswer,
  type HttpAnswer,
} from "@tributary/shared/runtime/http-answer";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import { encodeReadReply } from "../core/reply-bytes.ts";
import type { AnswerRead } from "../handlers/answer-read.ts";

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly answerRead: AnswerRead;
  /** Resolves when reads can be answered, else throws the reason. */
  readonly checkReady: () => Promise<void>;
  readonly metricsText: () => string;
}

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/** A read request's size: 2,000 rows of keys and 100 tokens with room to spare. */
const readBytesMax = 4 * 1024 * 1024;
/** How long a caller is taken to wait, ms. */
const patienceMs = 35_000;

/** Reads over HTTP. @throws TributaryError BAD_CONFIG when the port is taken */
export async function startHttpServer(options: HttpOptions): Promise<HttpServer> {
  const server = fastify({ bodyLimit: readBytesMax, forceCloseConnections: "idle" });
  // The body stays bytes: one decoder, with its limits, serves HTTP and NATS. Other types are refused, which also keeps a
  // web page from posting here without a preflight.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(Object.values(contentTypes), { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  server.setErrorHandler((error, request, reply) => {
    const encoding = encodingOf(request.headers["content-type"]);
    return send(reply, errorAnswer(error, { encoding, bytesMax: readBytesMax }));
  });
  server.setNotFoundHandler((request, reply) => {
    const error = new TributaryError("MALFORMED", `there is no such ${request.method} route`);
    return reply.status(404).send({ error: toWireError(error) });
  });
  addRoutes(server, options);
  return { url: await listen(server, options), close: () => server.close() };
}

async function listen(server: FastifyInstance, { host, port }: HttpOptions): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    throw new TributaryError("BAD_CONFIG", `cannot listen on ${host}:${port} (HTTP_HOST, HTTP_PORT)`, { cause: error });
  }
}

function addRoutes(server: FastifyInstance, { answerRead, checkReady, metricsText }: HttpOptions): void {
  server.post("/v1/features/read", async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const columns = request.headers[columnsHeader.toLowerCase()]?.toString();
    const { reply: value, form } = await answerRead({ body, deadlineMs: Date.now() + patienceMs, columns });
    return send(reply, { status: 200, headers: contentHeaders(form.encoding), body: encodeReadReply(value, form) });
  });
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
