// Scenario files in an editor: one session with the YAML language server. `ci/editor` starts it.
//
//   node session.mjs MODULES SCENARIOS
//
// MODULES is the folder that the server is installed in, SCENARIOS the folder with the schema, the
// reference and the areas. What must be shown is taken from the reference, which is made from the
// doc comments without the schema for editors. No file is opened in its place: the server is given
// texts, and a folder with a copy of the schema.

import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Editor } from './editor.mjs';
import { mistakes, sound } from './mistakes.mjs';
import { Reference } from './reference.mjs';

const [modules, scenarios] = process.argv.slice(2);
const modeline = '# yaml-language-server: $schema=../scenario.schema.json';
const folder = mkdtempSync(join(tmpdir(), 'backup-tck-editor-'));
const problems = [];
const table = [];

/** Notes how many of the `wanted` things were shown; nothing wanted is a mistake of this script. */
function row(what, wanted, failed) {
    if (wanted === 0) failed = ['there is nothing to show'];
    problems.push(...failed.map((problem) => `${what}: ${problem}`));
    table.push(`${what.padEnd(44)} ${wanted - Math.min(failed.length, wanted)} of ${wanted}`);
}

/** The places where `@` stands in a text, and the text without it. */
function marked(text) {
    const parts = text.split('@');
    const positions = parts.slice(1).map((_, index) => {
        const lines = parts
            .slice(0, index + 1)
            .join('')
            .split('\n');
        return { line: lines.length - 1, character: lines.at(-1).length };
    });
    return { text: parts.join(''), positions };
}

async function suite(editor) {
    const failed = [];
    const areas = readdirSync(scenarios, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const files = areas.flatMap(({ name }) => readdirSync(join(scenarios, name)).map((file) => join(name, file)));
    const yaml = files.filter((file) => file.endsWith('.yaml'));
    // The server takes its time for each text; for all of them at once it takes no more.
    await Promise.all(
        yaml.map(async (file) => {
            const text = readFileSync(join(scenarios, file), 'utf8');
            if (!text.startsWith(`${modeline}\n`)) failed.push(`${file} does not start with \`${modeline}\``);
            const told = (await editor.open(file, text)).diagnostics;
            if (told.length > 0) failed.push(`${file}: ${describe(told)}`);
        }),
    );
    row('scenarios of the suite without a diagnostic', yaml.length, failed);
}

async function diagnostics(editor) {
    const failed = [];
    const clean = (await editor.open('area/sound.yaml', sound)).diagnostics;
    if (clean.length > 0) failed.push(`the sound file: ${describe(clean)}`);
    await Promise.all(
        mistakes.map(async ({ name, from, to, at = to, says }) => {
            const text = sound.replace(from, to);
            const line = text.slice(0, text.indexOf(at)).split('\n').length - 1;
            const told = (await editor.open(`area/${name.replaceAll(' ', '-')}.yaml`, text)).diagnostics;
            const right = told.length === 1 && told[0].range.start.line === line && told[0].message.includes(says);
            if (text === sound) failed.push(`${name}: the sound file has no \`${from}\``);
            else if (!right) failed.push(`${name}: wanted \`${says}\` in line ${line + 1}, got ${describe(told)}`);
        }),
    );
    row('mistakes with one diagnostic, in its line', mistakes.length, failed);
}

function describe(told) {
    const lines = told.map(({ range, message }) => `line ${range.start.line + 1}: ${message.slice(0, 120)}`);
    return lines.join('; ') || 'no diagnostic';
}

/** Hovers over each mark of a text, where the text of each word must be shown. */
async function hovers(editor, what, source, wanted) {
    const failed = [];
    const { text, positions } = marked(source);
    const { uri } = await editor.open('area/hover.yaml', text);
    for (const [index, [word, shows]] of [...wanted].entries()) {
        const shown = await editor.hover(uri, positions[index]);
        if (!shown.includes(shows)) failed.push(`\`${word}\`: wanted \`${shows}\`, got \`${shown.slice(0, 200)}\``);
    }
    row(what, wanted.size, failed);
}

/** Completes at the mark, where exactly the wanted words must be offered, each with its text. */
async function completes(editor, what, source, wanted) {
    const { text, positions } = marked(source);
    const { uri } = await editor.open('area/complete.yaml', text);
    const items = await editor.complete(uri, positions[0]);
    const failed = [...wanted].flatMap(([word, shows]) => {
        const offered = items.filter(({ label }) => label === word);
        if (offered.length !== 1) return [`\`${word}\` is offered ${offered.length} times`];
        const documentation = offered[0].documentation?.value ?? offered[0].documentation ?? '';
        return documentation.includes(shows) ? [] : [`\`${word}\`: wanted \`${shows}\`, got \`${documentation}\``];
    });
    const foreign = items.filter(({ label }) => !wanted.has(label)).map(({ label }) => `\`${label}\` is no such word`);
    row(what, wanted.size, [...failed, ...foreign]);
}

async function session(editor) {
    const { keys, words, calls, decisions, codes } = new Reference(scenarios);
    const steps = new Map([...words, ...calls]);
    const lines = (table, line) => [...table.keys()].map(line).join('\n');
    const file = (...parts) => `${modeline}\n${parts.join('\n')}\n`;
    await suite(editor);
    await diagnostics(editor);
    const allKeys = file(lines(keys, (key) => `@${key}: {}`));
    await hovers(editor, 'keys of a file with their text on hover', allKeys, keys);
    const history = [lines(words, (word) => `  - @${word}`), lines(calls, (call) => `  - @${call}: {}`)];
    await hovers(editor, 'steps with their text on hover', file('history:', ...history), steps);
    const axis = lines(decisions, (word) => `    ${word}: { then: { decision: @${word} } }`);
    const meanings = new Map([...decisions].map(([word, meaning]) => [word, `${word}\`: ${meaning}`]));
    await hovers(editor, 'decisions with their text on hover', file('matrix:', '  axis:', axis), meanings);
    await completes(editor, 'steps offered in a history', file('history:', '  - start', '  - @'), steps);
    await completes(editor, 'steps with arguments offered below `when:`', file('when:', '  @'), calls);
    await completes(editor, 'decisions offered', file('then:', '  decision: @'), decisions);
    await completes(editor, 'error codes offered', file('then:', '  error: @'), codes);
}

let editor;
try {
    copyFileSync(join(scenarios, 'scenario.schema.json'), join(folder, 'scenario.schema.json'));
    editor = await Editor.start(modules, pathToFileURL(folder).href);
    await session(editor);
} catch (error) {
    problems.push(`the session ended early: ${error.message}`);
} finally {
    editor?.end();
    rmSync(folder, { recursive: true });
}
console.log(table.join('\n'));
problems.forEach((problem) => console.error(`ci/editor: ${problem}`));
process.exit(problems.length > 0 ? 1 : 0);
