import { loadDefinitions } from "@tributary/cli/catalog/load-definitions";
import { DefinitionError } from "@tributary/shared/definitions/problems";

/** Loads each of the paths and says what became of it, in one line of JSON. */
const answers: unknown[] = [];
for (const path of process.argv.slice(2)) {
  answers.push(
    await loadDefinitions(path, 300).then(
      ({ views }) => ({ views: Object.keys(views) }),
      (error: unknown) => (error instanceof DefinitionError ? { problems: error.problems } : { defect: String(error) }),
    ),
  );
}
process.stdout.write(JSON.stringify(answers));
// A module that is still loading must not hold the process.
process.exit();
