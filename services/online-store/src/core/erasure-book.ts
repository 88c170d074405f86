import { type Erasure, erasureVersion } from "@tributary/shared/contracts/erasure";
import { compareVersions, type Version } from "@tributary/shared/contracts/version";
import { entityOfRecord } from "./store-keys.ts";

/**
 * Every erasure that was ever asked for. A record that was erased says so itself; but where Redis was emptied it does not any
 * more, and a replay would bring back what it held. So whoever writes looks here too (R2).
 */
export class ErasureBook {
  readonly #byId = new Map<string, Erasure>();
  readonly #versions = new Map<string, Version>();

  /** False when it is known already. */
  add(erasure: Erasure): boolean {
    if (this.#byId.has(erasure.id)) return false;
    this.#byId.set(erasure.id, erasure);
    const [name, version] = [`${erasure.entity}:${erasure.key}`, erasureVersion(erasure)];
    const known = this.#versions.get(name);
    if (known === undefined || compareVersions(known, version) < 0) this.#versions.set(name, version);
    return true;
  }

  get all(): readonly Erasure[] {
    return [...this.#byId.values()];
  }

  /** Of any record of an entity, by its key in Redis. */
  erasedAt = (recordKey: string): Version | undefined =>
    this.#versions.size === 0 ? undefined : this.#versions.get(entityOfRecord(recordKey));
}
