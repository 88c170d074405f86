import { loadDefinitions } from "@tributary/cli/catalog/load-definitions";
import { DefinitionError } from "@tributary/shared/definitions/problems";

/** Only what never ends is given up soon: a busy machine may take its time with the others. */
const loadMsMax = (path: string): number => (path.endsWith("forever.ts") ? 300 : 30_000);

/** Loads each of the paths and says what became of it, in one line of JSON. */
const answers: unknown[] = [];
for (const path of process.argv.slice(2)) {
  answers.push(
    await loadDefinitions(path, loadMsMax(path)).then(
      ({ views }) => ({ views: Object.keys(views) }),
      (error: unknown) => (error instanceof DefinitionError ? { problems: error.problems } : { defect: String(error) }),
    ),
  );
}
process.stdout.write(JSON.stringify(answers));
// A module that is still loading must not hold the process.
process.exit();
