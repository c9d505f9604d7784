// The part of an editor: the language server in a process of its own, asked over its standard input.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** The server looks at a text some tenths of a second after it came. */
const PATIENCE = 60_000;

const SETTINGS = { yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false } } };

const CAPABILITIES = {
    workspace: { configuration: true },
    textDocument: {
        hover: { contentFormat: ['markdown'] },
        completion: { completionItem: { documentationFormat: ['markdown'], snippetSupport: true } },
    },
};

export class Editor {
    #diagnosed = new Map();
    #opened = 0;

    /** Starts the server that is installed in the folder `modules`, for files below `folder`. */
    static async start(modules, folder) {
        const require = createRequire(join(modules, 'node_modules', 'x'));
        const rpc = require('vscode-jsonrpc/node');
        const editor = new Editor();
        editor.folder = folder;
        const server = require.resolve('yaml-language-server/bin/yaml-language-server');
        editor.server = spawn(process.execPath, [server, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
        const reader = new rpc.StreamMessageReader(editor.server.stdout);
        editor.connection = rpc.createMessageConnection(reader, new rpc.StreamMessageWriter(editor.server.stdin));
        editor.lost = new Promise((_, reject) => {
            editor.server.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
            const late = () => reject(new Error(`no answer for ${PATIENCE / 1000} s`));
            editor.clock = setTimeout(late, PATIENCE);
        });
        editor.lost.catch(() => {});
        await editor.#handshake();
        return editor;
    }

    async #handshake() {
        this.connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }) => {
            this.#diagnosed.get(uri)?.(diagnostics);
        });
        this.connection.onRequest('workspace/configuration', ({ items }) =>
            items.map(({ section }) => SETTINGS[section] ?? null),
        );
        this.connection.onRequest('client/registerCapability', () => null);
        this.connection.listen();
        const client = { processId: process.pid, rootUri: null, capabilities: CAPABILITIES };
        await this.#ask('initialize', client);
        await this.connection.sendNotification('initialized', {});
    }

    #ask(method, what) {
        this.clock.refresh();
        return Promise.race([this.connection.sendRequest(method, what), this.lost]);
    }

    /** Opens a text under a new name in its folder, and waits for the server's diagnostics. */
    async open(path, text) {
        this.clock.refresh();
        const uri = `${this.folder}/${path.replace('.yaml', `-${(this.#opened += 1)}.yaml`)}`;
        const diagnosed = new Promise((resolve) => this.#diagnosed.set(uri, resolve));
        const textDocument = { uri, languageId: 'yaml', version: 1, text };
        await this.connection.sendNotification('textDocument/didOpen', { textDocument });
        return { uri, diagnostics: await Promise.race([diagnosed, this.lost]) };
    }

    /** What the server shows at a place of a text, as Markdown. */
    async hover(uri, position) {
        const shown = await this.#ask('textDocument/hover', { textDocument: { uri }, position });
        return shown?.contents?.value ?? '';
    }

    /** What the server offers at a place of a text. */
    async complete(uri, position) {
        const offered = await this.#ask('textDocument/completion', { textDocument: { uri }, position });
        return offered.items ?? offered;
    }

    end() {
        clearTimeout(this.clock);
        this.server.removeAllListeners('exit');
        this.server.kill();
    }
}
