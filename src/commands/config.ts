import { load } from '../config/load.ts';
import { entryOf, settingNames } from '../config/settings.ts';
import { withoutUrlTokens } from '../observe/url-tokens.ts';
import { hanging } from '../observe/width.ts';
import { jsonFlag, type Verb } from './verb.ts';

export const configVerb: Verb = {
  summary: 'Every setting: value in force, where it came from, meaning.',
  usage: 'config [--json] [--config FILE]',
  examples: ['node dist/supervisor.js config', 'RAG_TOPK=8 node dist/supervisor.js config --json'],
  settings: [],
  flags: { json: jsonFlag },
  async run({ line, environment, print, tell, paint: { out: paint }, columns }) {
    const { settings, sources, warnings } = load({
      flags: line.settings,
      environment,
      file: line.values['config'],
    });
    for (const warning of warnings) tell(`warning: ${warning}`);
    const rows = settingNames.map((name) => ({
      name,
      value: settings[name] ?? null,
      source: sources[name],
      meaning: entryOf(name).meaning,
    }));
    const say = (text: string): void => print(withoutUrlTokens(text));
    if (line.switches.has('json')) say(JSON.stringify(rows));
    else
      for (const { name, value, source, meaning } of rows) {
        // What somebody has set stands out among what is as it came.
        const set = `${name}=${shown(value)}`;
        say(`${source === 'default' ? set : paint('strong', set)}  ${paint('dim', `(${source})`)}`);
        for (const line of hanging(meaning, 4, columns ?? Infinity)) say(line);
      }
    return 0;
  },
};

/** As a user would write it. */
function shown(value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'object')
    return 'percent' in value ? `${String(value.percent)}%` : Object.values(value).join();
  return typeof value === 'string' ? value : JSON.stringify(value);
}
