import { TributaryError } from "@tributary/shared/contracts/errors";

/** What REDIS_URL names: servers, and how to log in to each of them. */
export interface RedisAddress {
  /** One URL for each host. */
  readonly urls: readonly string[];
  /** The same login at another host and port; a cluster tells its nodes so. */
  at(host: string, port: number): string;
  /** Numbered databases are of a single server only. */
  readonly hasDatabase: boolean;
}

/**
 * `redis://user:password@host:port`, with further `,host:port` for the nodes of a cluster of which any may be away.
 * @throws TributaryError BAD_CONFIG
 */
export function readRedisAddress(url: string): RedisAddress {
  const parts = /^(?<scheme>rediss?:\/\/)(?<login>.*@)?(?<hosts>[^/?@]+)(?<rest>[/?].*)?$/.exec(url)?.groups;
  const { scheme = "", login = "", hosts = "", rest = "" } = parts ?? {};
  const urls = hosts.split(",").map((host) => `${scheme}${login}${host}${rest}`);
  if (parts === undefined || !urls.every((one) => URL.canParse(one)))
    throw new TributaryError("BAD_CONFIG", "REDIS_URL is not redis://user:password@host:port[,host:port…]");
  const query = rest.includes("?") ? rest.slice(rest.indexOf("?")) : "";
  return {
    urls,
    at: (host, port) => `${scheme}${login}${host.includes(":") ? `[${host}]` : host}:${port}${query}`,
    hasDatabase: /^\/0*[1-9]/.test(rest),
  };
}
