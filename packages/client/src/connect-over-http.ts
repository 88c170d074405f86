import { TributaryError } from "@tributary/shared/contracts/errors";
import { type ClientBounds, createTributary } from "./create-tributary.ts";
import { HttpTransport } from "./http-transport.ts";
import type { Tributary } from "./tributary.ts";

export interface HttpConnectOptions extends ClientBounds {
  /** `http://host:port` of the online store, or of what stands in front of it; for `read`. */
  readonly storeUrl?: string;
  /** The same of the direct gateway; for `write` and `publish`. */
  readonly gatewayUrl?: string;
  /** Sent with every request: what a proxy in front of the services asks for, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * For programs that cannot reach NATS: the same calls over HTTP. Nothing is connected yet; the first call does it.
 * @throws TributaryError BAD_CONFIG for a URL that is none
 */
export function connectOverHttp(options: HttpConnectOptions): Tributary {
  const { storeUrl, gatewayUrl, headers = {} } = options;
  return createTributary(
    new HttpTransport({
      store: storeUrl === undefined ? undefined : baseOf(storeUrl, "storeUrl"),
      gateway: gatewayUrl === undefined ? undefined : baseOf(gatewayUrl, "gatewayUrl"),
      headers: checkedHeaders(headers),
    }),
    options,
  );
}

/** The text is not repeated in an error: it may hold a password. */
function baseOf(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === undefined || !isHttp || url.search !== "" || url.hash !== "") {
    throw new TributaryError("BAD_CONFIG", `${name} must be http://host:port or https://host:port`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TributaryError("BAD_CONFIG", `${name} holds a user or password: give credentials as headers instead`);
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function checkedHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(new Headers(headers));
  } catch {
    throw new TributaryError("BAD_CONFIG", "headers holds a name or value that cannot stand in an HTTP request");
  }
}
