// A sound scenario, and mistakes: what is replaced by what, the line that must be marked (that of
// the replacement, unless `at` names another) and a part of what must be said.

export const sound = `\
# yaml-language-server: $schema=../scenario.schema.json
format: 1
scenario: sound
summary: A checkpoint on a raw disk is refused.
refs: ["https://example.org/1"]

disks:
  vda: { format: qcow2, size: 16M }
  vdb: { format: raw, size: 16M }

history:
  - start
  - guest-write: { disk: vda, offset: 0, length: 64K, pattern: 0xA1 }
  - checkpoint-create: { name: c1, disks: [vda] }
  - destroy
  - recreate-image: { disk: vda }

when:
  checkpoint-create: { name: c2, disks: [vdb] }

then:
  error: VIR_ERR_CONFIG_UNSUPPORTED
  decision: fix-request
  remedy:
    - checkpoint-create: { name: c2, disks: [vda] }
`;

export const mistakes = [
    { name: 'unknown key', from: 'refs:', to: 'ref:', says: 'Property ref is not allowed' },
    { name: 'unknown key in a step', from: 'disks: [vda]', to: 'disk: [vda]', says: 'Property disk is not allowed' },
    { name: 'unknown word as a step', from: '- destroy', to: '- destory', says: 'Value must be "start" |' },
    {
        name: 'unknown step with arguments',
        from: 'recreate-image:',
        to: 'recreate-imag:',
        says: 'Property recreate-imag is not allowed',
    },
    {
        name: 'step without its arguments',
        from: '- recreate-image: { disk: vda }',
        to: '- recreate-image',
        says: 'Value must be "start" |',
    },
    {
        name: 'arguments that a step does not take',
        from: '- destroy',
        to: '- destroy: { disk: vda }',
        says: 'Property destroy is not allowed',
    },
    {
        name: 'two steps in one item',
        from: '- destroy',
        to: '- await-block-job: { disk: vda }\n    detach-disk: { disk: vda }',
        says: 'Object has more properties than limit of 1',
    },
    { name: 'unknown decision', from: 'fix-request', to: 'fix-reqest', says: 'Valid values: "fix-request", ' },
    {
        name: 'unknown error code',
        from: 'VIR_ERR_CONFIG_UNSUPPORTED',
        to: 'VIR_ERR_CONFIG',
        says: 'Valid values: "VIR_ERR_OK", ',
    },
    { name: 'unknown format of a disk', from: 'format: raw', to: 'format: vmdk', says: 'Valid values: "qcow2", "raw"' },
    {
        name: 'missing key of the file',
        from: 'scenario: sound\n',
        to: '',
        at: 'format: 1',
        says: 'Missing property "scenario"',
    },
    {
        name: 'missing key of a step',
        from: 'name: c1, ',
        to: '',
        at: 'checkpoint-create: { disks',
        says: 'Missing property "name"',
    },
    {
        name: 'refusal without a decision',
        from: '  decision: fix-request\n',
        to: '',
        at: 'then:',
        says: 'Missing property "decision"',
    },
    {
        name: 'success with a decision',
        from: /error:[^]*/,
        to: 'result: ok\n  decision: treat-as-done\n',
        at: 'decision:',
        says: 'Property decision is not allowed',
    },
    {
        name: 'call without an expectation',
        from: /then:[^]*/,
        to: '',
        at: 'format: 1',
        says: 'Missing property "then"',
    },
    { name: 'text for a list', from: 'disks: [vda]', to: 'disks: vda', says: 'Expected "array"' },
    { name: 'text for a number', from: 'pattern: 0xA1', to: 'pattern: A1', says: 'Expected "integer"' },
    { name: 'number out of range', from: 'pattern: 0xA1', to: 'pattern: 256', says: 'above the maximum of 255' },
    { name: 'negative number', from: 'offset: 0', to: 'offset: -1', says: 'below the minimum of 0' },
    { name: 'size with a wrong unit', from: 'length: 64K', to: 'length: 64KB', says: 'does not match the pattern' },
    { name: 'unknown version of the format', from: 'format: 1\n', to: 'format: 2\n', says: 'above the maximum of 1' },
];
