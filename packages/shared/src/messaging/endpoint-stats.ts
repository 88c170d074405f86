import type { TributaryError } from "../contracts/errors.ts";

/** The counters of one endpoint, as the micro protocol reports them: whole handling time, failures after an await included. */
export class EndpointStats {
  readonly startedMs = Date.now();
  #requests = 0;
  #errors = 0;
  #lastError = "";
  #processingMs = 0;

  record(startedAt: number, error: TributaryError | undefined): void {
    this.#requests += 1;
    this.#processingMs += performance.now() - startedAt;
    if (error === undefined) return;
    this.#errors += 1;
    this.#lastError = `${error.code}: ${error.message}`;
  }

  /** Times in ns. */
  report() {
    const processing = Math.round(this.#processingMs * 1e6);
    return {
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: processing,
      average_processing_time: this.#requests === 0 ? 0 : Math.round(processing / this.#requests),
    };
  }
}
