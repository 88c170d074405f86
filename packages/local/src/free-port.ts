import { createServer } from "node:net";

/** A TCP port of 127.0.0.1 that was free a moment ago; whoever binds it must be ready to try another. */
export function freePort(): Promise<number> {
  return new Promise((resolve, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen({ host: "127.0.0.1", port: 0, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
