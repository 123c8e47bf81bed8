// How the programs of this repository begin and end: what their command line says, Ctrl-C, and their exit status.
import { parseArgs, type ParseArgsConfig } from 'node:util'

/** How a run ended. */
export interface Ending {
  /** The exit status. */
  readonly status: number
  readonly says: string
}

/** An option that is unknown or has a wrong value. */
export class UsageError extends Error {}

export interface CommandLine<Options> {
  readonly usage: string
  readonly help: string
  /** @throws UsageError */
  readonly readOptions: (args: readonly string[]) => Options
}

/**
 * Runs a program as its command line says, and sets the exit status of the process.
 * @param run gives the exit status; its signal aborts when it is to stop
 */
export async function enter<Options extends { readonly help: boolean }>(
  commandLine: CommandLine<Options>,
  run: (options: Options, stop: AbortSignal) => Promise<number>,
): Promise<void> {
  process.exitCode = await statusOf(commandLine, run)
}

async function statusOf<Options extends { readonly help: boolean }>(
  { usage, help, readOptions }: CommandLine<Options>,
  run: (options: Options, stop: AbortSignal) => Promise<number>,
): Promise<number> {
  const options = optionsOrEnd(usage, readOptions)
  if (options.help) {
    console.log(help)
    return 0
  }

  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  // Whoever reads the output may leave early, as `head` does.
  process.stdout.on('error', () => stop.abort())
  return run(options, stop.signal)
}

/** What the command line says. Where that is wrong, says so with the usage, and ends the process with 2. */
export function optionsOrEnd<Options>(usage: string, readOptions: (args: readonly string[]) => Options): Options {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n${usage}`)
    process.exit(2)
  }
}

/** What the arguments say. @throws UsageError */
export function parse<const Config extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: Config,
): ReturnType<typeof parseArgs<{ options: Config }>>['values'] {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ')[0] : String(error))
  }
}

/** @throws UsageError */
export function wholeNumber(name: string, text: string, from: number, to: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= from && value <= to) return value
  throw new UsageError(`--${name} must be a whole number from ${from} to ${to}, got ${JSON.stringify(text)}`)
}
