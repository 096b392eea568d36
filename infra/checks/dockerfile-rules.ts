interface Instruction {
  readonly name: string;
  readonly rest: string;
}

interface Stage {
  readonly from: string;
  readonly name: string | null;
  readonly instructions: readonly Instruction[];
}

/** What breaks the rules of our images. `exists` tells whether a path of the repository is there. */
export function dockerfileComplaints(text: string, exists: (path: string) => boolean): string[] {
  const stages = parseStages(text);
  const names = stages.flatMap(({ name }) => (name === null ? [] : [name]));
  return stages.flatMap((stage, index) => [
    ...fromComplaints(stage, names),
    ...stage.instructions.flatMap((instruction) => instructionComplaints(instruction, names, exists)),
    ...(isFinal(stage, index, stages) && runsAsRoot(stage, stages)
      ? [`stage ${stage.name ?? index} runs as root`]
      : []),
  ]);
}

function parseStages(text: string): Stage[] {
  const lines = text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const stages: { from: string; name: string | null; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [name = '', ...words] = line.split(/\s+/);
    const instruction = { name: name.toUpperCase(), rest: words.join(' ') };
    if (instruction.name === 'FROM') {
      stages.push({ from: words[0] ?? '', name: words[1] === 'AS' ? (words[2] ?? null) : null, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

function fromComplaints({ from }: Stage, names: readonly string[]): string[] {
  return names.includes(from) || /:\d+\.\d+\.\d+/.test(from) ? [] : [`FROM ${from} is not pinned to a full version`];
}

function instructionComplaints(
  { name, rest }: Instruction,
  names: readonly string[],
  exists: (path: string) => boolean,
): string[] {
  switch (name) {
    case 'ADD':
      return [`ADD ${rest}: use COPY`];
    case 'ENV':
    case 'ARG':
      return /(PASSWORD|PASSPHRASE|SECRET|TOKEN)/i.test(rest)
        ? [`${name} ${rest}: a secret would stay in the image`]
        : [];
    case 'CMD':
    case 'ENTRYPOINT':
      return rest.startsWith('[') ? commandComplaints(rest, exists) : [`${name} ${rest}: use the form with brackets`];
    case 'RUN':
      return /npm (ci|install)/.test(rest) && !rest.includes('--ignore-scripts')
        ? [`RUN ${rest}: packages' scripts must not run`]
        : [];
    case 'COPY': {
      const stage = /^--from=(\S+)/.exec(rest)?.[1];
      if (stage !== undefined) return names.includes(stage) ? [] : [`COPY ${rest}: no such stage`];
      const sources = rest.split(' ').slice(0, -1);
      return sources
        .filter((path) => path !== '.' && !exists(path))
        .map((path) => `COPY ${path}: there is no such file`);
    }
    default:
      return [];
  }
}

/** The compiled file that a command starts must have a source: a renamed entry would show only when it is run. */
function commandComplaints(rest: string, exists: (path: string) => boolean): string[] {
  return (JSON.parse(rest) as string[])
    .filter((word) => /\.(js|mjs)$/.test(word))
    .map((word) => word.replace('/dist/', '/').replace(/\.js$/, '.ts'))
    .filter((source) => !exists(source))
    .map((source) => `a command starts ${source}, which does not exist`);
}

/** A stage that no other builds upon, and that nothing is only copied from. */
function isFinal(stage: Stage, index: number, stages: readonly Stage[]): boolean {
  if (stage.name === null) return true;
  const copiedFrom = stages.some(({ instructions }) =>
    instructions.some(({ name, rest }) => name === 'COPY' && rest.startsWith(`--from=${stage.name} `)),
  );
  return !copiedFrom && !stages.slice(index + 1).some(({ from }) => from === stage.name);
}

function runsAsRoot(stage: Stage, stages: readonly Stage[]): boolean {
  const user = stage.instructions.filter(({ name }) => name === 'USER').at(-1)?.rest;
  if (user !== undefined) return !/^[1-9]\d*(:[1-9]\d*)?$/.test(user);
  const base = stages.find(({ name }) => name === stage.from);
  return base === undefined || runsAsRoot(base, stages);
}
