import type { BatchView } from "@tributary/shared/contracts/catalog";
import { describe, expect, it } from "vitest";
import { dueInterval } from "./schedule.ts";

const view = { everyMs: 100 } as BatchView;
const fresh = { publishedEndMs: undefined, triedEndMs: undefined, retryAtMs: 0 };

describe("the schedule", () => {
  it("owes a view its latest interval, and no older one", () => {
    expect(dueInterval(view, fresh, 1_050, 0)).toBe(1_000);
    expect(dueInterval(view, { ...fresh, publishedEndMs: 500 }, 1_050, 0)).toBe(1_000);
  });

  it("owes nothing until the next interval has ended, nor when the clock goes back", () => {
    expect(dueInterval(view, { ...fresh, publishedEndMs: 1_000 }, 1_099, 0)).toBeUndefined();
    expect(dueInterval(view, { ...fresh, publishedEndMs: 1_000 }, 1_100, 0)).toBe(1_100);
    expect(dueInterval(view, { ...fresh, publishedEndMs: 1_000 }, 300, 0)).toBeUndefined();
  });

  it("tries a failed interval again after its pause, and a new one at once", () => {
    const failed = { ...fresh, triedEndMs: 1_000, retryAtMs: 50 };
    expect(dueInterval(view, failed, 1_050, 49)).toBeUndefined();
    expect(dueInterval(view, failed, 1_050, 50)).toBe(1_000);
    expect(dueInterval(view, failed, 1_100, 0)).toBe(1_100);
  });
});
