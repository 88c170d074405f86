import { describe, expect, it } from "vitest";
import { commonOptions, describeConfig, readConfig, text } from "./config.ts";

const options = {
  ...commonOptions,
  port: { env: "HTTP_PORT", schema: text.integer(80, { min: 0, max: 65_535 }), help: "port" },
} as const;
const noFile = () => expect.unreachable("no file is named");

describe("readConfig", () => {
  it("takes defaults, text and numbers from the environment", () => {
    const config = readConfig(options, { NATS_URL: "nats://a:b@c:1", HTTP_PORT: "8080", LOG_LEVEL: "" }, noFile);
    expect(config).toMatchObject({ natsUrl: "nats://a:b@c:1", port: 8080, logLevel: "info", instance: undefined });
  });

  it("names every missing or malformed variable at once, and no value", () => {
    const read = () => readConfig(options, { NATS_URL: "http://secret", HTTP_PORT: "many" }, noFile);
    expect(read).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message: expect.stringMatching(/NATS_URL.*nats:\/\/.*HTTP_PORT/s),
      }),
    );
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining("secret") }));
  });

  it("reads a secret from the file that NAME_FILE names", () => {
    const config = readConfig(options, { NATS_URL_FILE: "/run/secret" }, (path) =>
      path === "/run/secret" ? "nats://x\n" : noFile(),
    );
    expect(config.natsUrl).toBe("nats://x");
  });

  it("reads a variable for each name that is set, also from a file, and names the malformed one", () => {
    const named = {
      urls: { env: "SOURCE_<NAME>_URL", schema: text.named(text.url("postgres")), help: "url", secret: true },
    } as const;
    const environment = {
      SOURCE_CRM_URL: "postgres://a",
      SOURCE_BACK_OFFICE_URL_FILE: "/run/secret",
      SOURCE_OLD_URL: "",
    };
    expect(readConfig(named, environment, () => "postgres://b\n").urls).toEqual({
      crm: "postgres://a",
      back_office: "postgres://b",
    });
    expect(readConfig(named, { SOURCED_URL: "x", OTHER: "y" }, noFile).urls).toEqual({});
    expect(() => readConfig(named, { SOURCE_CRM_URL: "mysql://secret" }, noFile)).toThrow(
      expect.objectContaining({
        code: "BAD_CONFIG",
        message: expect.stringMatching(/^SOURCE_CRM_URL: must start with/),
      }),
    );
  });

  it("describes each variable", () => {
    expect(describeConfig(options)).toMatch(/HTTP_PORT +port/);
  });
});
