// A board with hosts of all kinds, for what reads boards from files.
import { createBoard, type Board } from '@fuseboard/core'

/** Labels that mean something to a shell, to the AWS CLI, to JSON, or to TypeScript. */
export const ODD: readonly string[] = [
  `it's "odd", $HOME \`ls\` \\ [x]={y}`,
  '-starts-with-a-hyphen',
  'file://etc/passwd',
  'a b',
  'a-b',
  'a.b',
  '${jsii}</script>',
  'Name=x,Value=y',
  '*',
  'Zürich',
  'x'.repeat(400),
]

export const board: Board = createBoard({
  hosts: {
    'bible-api.com': { label: 'bible-api' },
    'api.paypal.com': {},
    'www.paypal.com:8443': {},
    '*.example.com': {},
    '*.googlevideo.com': { label: 'videos' },
    localhost: false,
    ...Object.fromEntries(ODD.map((label, n) => [`odd-${n}.test`, { label }])),
  },
})
board.guard('video', () => {})
