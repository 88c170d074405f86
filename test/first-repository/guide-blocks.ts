/** A fenced block of a guide's markdown. */
export interface GuideBlock {
  /** `sh`, `text`, `json` … */
  readonly language: string;
  readonly text: string;
}

/** Commands to run, and what the guide says they print. */
export interface GuideStep {
  readonly commands: string;
  readonly shown: GuideBlock | undefined;
}

/** Every `sh` block in order, each with the block of output behind it, if there is one. */
export function stepsOf(markdown: string): readonly GuideStep[] {
  const blocks = [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(
    ([, language = "", text = ""]): GuideBlock => ({ language, text }),
  );
  return blocks.flatMap((block, i) => {
    if (block.language !== "sh") return [];
    const next = blocks[i + 1];
    return [{ commands: block.text, shown: next === undefined || next.language === "sh" ? undefined : next }];
  });
}

/** Lines of a `text` block that the output lacks; ages, ports and widths of columns may differ. */
export function missingLines(shown: string, output: string): readonly string[] {
  const said = new Set(output.split("\n").map(comparable));
  return shown.split("\n").filter((line) => line.trim() !== "" && !said.has(comparable(line)));
}

function comparable(line: string): string {
  return line
    .replace(/\bage \d+ \w+( \d+ \w+)?/, "age …")
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:…")
    .replaceAll(/\s+/g, " ")
    .trim();
}
