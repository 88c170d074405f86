import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between clients and a server on loopback; what the server sends to some of them can be kept back. */
export interface StallingProxy {
  readonly port: number;
  /** From now on nothing of the server's reaches the connections that have sent this text, until `release`. */
  hold(text: string): void;
  /** All that was kept back, in its order. */
  release(): void;
  /** The server's ends of the connections that have sent this text are closed, and their clients do not hear of it. */
  sever(text: string): void;
  /** New connections go to another server from now on. */
  retarget(port: number): void;
  close(): Promise<void>;
}

interface Wire {
  readonly client: Socket;
  readonly server: Socket;
  sent: string;
  held: Buffer[];
}

export async function startStallingProxy(targetPort: number): Promise<StallingProxy> {
  const wires = new Set<Wire>();
  let holding: string | undefined;
  let target = targetPort;
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: "127.0.0.1", port: target, noDelay: true });
    const wire: Wire = { client, server, sent: "", held: [] };
    wires.add(wire);
    client.on("data", (bytes) => {
      wire.sent += bytes.toString("latin1");
      if (!server.destroyed) server.write(bytes);
    });
    server.on("data", (bytes) => {
      if (holding !== undefined && wire.sent.includes(holding)) wire.held.push(bytes);
      else client.write(bytes);
    });
    for (const socket of [client, server]) {
      socket.on("error", () => undefined); // a close follows
      socket.on("close", () => cut(wire, wires));
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    hold: (text) => {
      holding = text;
    },
    release: () => {
      holding = undefined;
      for (const { client, held } of wires) for (const bytes of held.splice(0)) client.write(bytes);
    },
    sever: (text) => {
      for (const { server, sent } of wires) if (sent.includes(text)) server.removeAllListeners("close").destroy();
    },
    retarget: (port) => {
      target = port;
    },
    close: async () => {
      for (const wire of wires) cut(wire, wires);
      listener.close();
      await once(listener, "close");
    },
  };
}

function cut(wire: Wire, wires: Set<Wire>): void {
  wires.delete(wire);
  wire.client.destroy();
  wire.server.destroy();
}
