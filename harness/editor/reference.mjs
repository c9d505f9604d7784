// What the reference of the language says, as tables: the texts that an editor must show.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export class Reference {
    constructor(scenarios) {
        const text = readFileSync(join(scenarios, 'LANGUAGE.md'), 'utf8');
        /** The part below a heading, up to the next one of its level. */
        const part = (heading) => {
            const level = heading.split(' ')[0];
            const [, ...below] = text.split(`\n${heading}\n`);
            return (below[0] ?? '').split(`\n${level} `)[0];
        };
        const rows = (table) => [...table.matchAll(/^\| `([^`]+)`(?: \*)? \|(?:.*\|)? (.*) \|$/gm)];
        const words = (table) => new Map(rows(table).map(([, word, meaning]) => [word, meaning]));

        this.keys = words(part('## The file'));
        this.decisions = words(part('### Decision'));
        const steps = part('## Steps').matchAll(/^### `(.+)`\n\n(.+)\n\n(\| key)?/gm);
        /** Steps without arguments, and steps with them. */
        [this.words, this.calls] = [new Map(), new Map()];
        for (const [, name, meaning, table] of steps) (table ? this.calls : this.words).set(name, meaning);
        // The page does not list the codes; the schema does.
        const schema = JSON.parse(readFileSync(join(scenarios, 'scenario.schema.json'), 'utf8'));
        const [count] = part('### ErrorCode').match(/^\d+(?= words)/m);
        const codes = schema.$defs.ErrorCode.enum;
        if (codes.length !== Number(count)) throw new Error('the schema and the reference differ: make both anew');
        this.codes = new Map(codes.map((code) => [code, '']));
    }
}
