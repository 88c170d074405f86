import type { ArgumentKind } from "./argument-kinds.ts";
import { type CompletedCommand, type CompletedOption, commonOptions, completionModel } from "./completion-model.ts";
import { argumentPatterns, knownPaths, nameCommand, valuePatterns } from "./shell-patterns.ts";

/** Every line of it stands for one thing that may come next, with the place where it may. */
export function fishScript(): string {
  const model = completionModel();
  return `# fish completion for tributary. Try it: tributary completion fish | source
function __tributary_at --description 'the command and the number of its arguments so far'
  set -l at ''
  set -l args 0
  set -l value ''
  for word in (commandline -opc)[2..-1]
    if test -n "$value"
      set value ''
      continue
    end
    switch $word
      case '-*'
        switch "$at $word"
          case ${valuePatterns(model)
            .map((pattern) => pattern.replace("*'", "'*"))
            .join(" ")}
            set value 1
        end
      case '*'
        switch (string trim -- "$at $word")
          case ${knownPaths(model).join(" ")}
            set at (string trim -- "$at $word")
          case '*'
            set args (math $args + 1)
        end
    end
  end
  echo "$at $args"
end
function __tributary_is
  string match -q -- $argv[1] (__tributary_at)
end
complete -c tributary -f
${[...wordLines(model), ...argumentLines(model), ...optionLines(model)].join("\n")}
`;
}

function wordLines(model: readonly CompletedCommand[]): string[] {
  return model.flatMap(({ path, words }) =>
    words.map(({ name, does }) => `${when(`'${path} 0'`)} -a ${name} -d ${quote(does)}`),
  );
}

function argumentLines(model: readonly CompletedCommand[]): string[] {
  return argumentPatterns(model).flatMap(({ pattern, kind }) => {
    const takes = takesOf(kind);
    return takes === undefined ? [] : [`${when(pattern.replace("'*", "*'"))} ${takes}`];
  });
}

function optionLines(model: readonly CompletedCommand[]): string[] {
  const own = model.flatMap(({ path, options }) => options.map((option) => optionLine(when(`'${path} *'`), option)));
  return [...own, ...commonOptions().map((option) => optionLine("complete -c tributary", option))];
}

function optionLine(where: string, { names, does, takes }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  // -r lets files in beside what is named, -x does not.
  const value = takes === undefined ? [] : [takes.kind === "files" ? "-r" : "-x", takesOf(takes) ?? ""];
  return [where, ...flags, ...value, `-d ${quote(does)}`].filter(Boolean).join(" ");
}

function when(pattern: string): string {
  return `complete -c tributary -n "__tributary_is ${pattern}"`;
}

function takesOf(kind: ArgumentKind): string | undefined {
  switch (kind.kind) {
    case "files":
      return "-F";
    case "choices":
      return `-a ${quote(kind.words.join(" "))}`;
    case "names":
      return `-a "(tributary ${nameCommand} ${kind.of} 2>/dev/null)"`;
    case "free":
      return undefined;
    default:
      return kind satisfies never;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
