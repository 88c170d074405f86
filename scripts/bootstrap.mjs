// What `npm start`, `npm test` and `npm run tributary`, `bench`, `campaign`, `mutants` and `pack` run: it needs nothing but Node, and does all the
// set-up that is missing (packages, native modules, servers) before it hands over. What it says goes to standard error.
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "./compile.mjs";
import { ensureNativeModules } from "./native-modules.mjs";
import { packPackages } from "./pack.mjs";
import { ensurePackages } from "./packages.mjs";
import { loaderArguments, nodeProblem, runNode, say, typescriptArguments } from "./run-node.mjs";
import { runTests } from "./run-tests.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const usage = "usage: node scripts/bootstrap.mjs start|test|tributary|bench|campaign|mutants|pack [arguments]";

const commands = {
  start: async (args) => {
    await ensureServers(args);
    return runTypescript("examples/flights/start.ts", args);
  },
  test: async (args) => {
    await ensureServers(args);
    return runTests(root, args);
  },
  tributary: (args) => runTypescript("packages/cli/src/main.ts", args, process.env.INIT_CWD),
  bench: async (args) => {
    // What is measured is what runs where packages are installed.
    if (!(await compile(root))) return 1;
    return runNode([...loaderArguments(root), join(root, "bench/main.ts"), ...args], root);
  },
  campaign: (args) => runTypescript("campaign/main.ts", args),
  mutants: (args) => runTypescript("scripts/mutants.ts", args),
  pack: async ([folder]) => {
    packPackages(root, resolve(process.env.INIT_CWD ?? ".", folder ?? "tarballs"));
    return 0;
  },
  // For scripts that only want the set-up.
  install: async () => 0,
};

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? "") ? commands[name] : undefined;
  if (command === undefined) throw new Error(usage);
  ensurePackages(root);
  ensureNativeModules(root);
  return command(args);
}

function runTypescript(file, args, workingDirectory = root) {
  return runNode([...typescriptArguments(root), join(root, file), ...args], workingDirectory);
}

async function ensureServers(args) {
  const yes = args.includes("--yes") ? ["--yes"] : [];
  const code = await runTypescript("packages/local/src/ensure-servers.ts", yes);
  if (code !== 0) process.exit(code);
}

const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  say(problem);
  process.exit(1);
}
main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error) => {
    say(error.message);
    process.exit(error.message === usage ? 2 : 1);
  },
);
