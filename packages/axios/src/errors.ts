// What the errors of axios say of a host, and what axios throws for a refusal.
import { causeOfSignal, type Cause, type CircuitOpenError, type Outcome } from '@fuseboard/core'
import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { pairsOf } from './request.ts'

type Config = InternalAxiosRequestConfig
type Errors = typeof AxiosError

/** The caller's mistakes, and the caller's limits; where there is a response they say nothing. */
const CALLER =
  /^ERR_(?:BAD_(?:OPTION|OPTION_VALUE|REQUEST)|NOT_SUPPORT|FORM_DATA_DEPTH_EXCEEDED|FR_\w+|INVALID_\w+|UNESCAPED_CHARACTERS)$/
/** What fetch says of redirects that do not come to an end, or are not to be followed. */
const MISTAKES = /redirect|scheme/i
const UNDECODED = /^(?:Z_|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_ZSTD)/

/** @internal The answer in an error: one whose status the caller does not want, or whose bytes came whole and did not unpack. */
export function answerIn(error: unknown): AxiosResponse | undefined {
  const { response, code = '' } = (error ?? {}) as Partial<AxiosError>
  // Of a body that broke axios shows the head, and no data.
  return response && ('data' in response || UNDECODED.test(code)) ? response : undefined
}

/**
 * @internal Why there is no answer, where axios hides it; undefined where the error speaks for itself.
 * @param builtIn whether an adapter of axios threw it
 */
export function causeOf(error: unknown, config: Config, builtIn = false): Cause | undefined {
  const { code = '', message = '', name, request, response, cause, isAxiosError } = (error ?? {}) as Partial<AxiosError>
  if (code === 'ERR_CANCELED') return gaveUp(config) ?? 'abort'
  if (response) return 'unknown'
  if (CALLER.test(code) || (code === 'ERR_NETWORK' && MISTAKES.test(cause?.message ?? ''))) return 'caller'
  // Older releases say so of a body that broke, too: with the limit that there was none.
  if (code === 'ERR_BAD_RESPONSE' && Number(config.maxContentLength) > -1 && /maxContentLength/.test(message))
    return 'caller'
  // The stream to be sent broke by itself.
  const spoilt: unknown = (config.data as { errored?: unknown } | undefined)?.errored
  if (spoilt && (spoilt === cause || spoilt === cause?.cause)) return 'caller'
  // What the network does is always an AxiosError, and has a request; this could not even be sent.
  return builtIn && (!isAxiosError || (name === 'TypeError' && !request && !code)) ? 'caller' : undefined
}

/** @internal Why a body broke: an abort shows as a lost connection. */
export function causeOfBreak(error: unknown, config: Config): Cause | undefined {
  return gaveUp(config) ?? causeOf(error, config)
}

function gaveUp({ signal, cancelToken }: Config): Cause | undefined {
  return causeOfSignal(signal as AbortSignal | undefined) ?? (cancelToken?.reason && 'abort')
}

/** @internal What an error of axios says of the host. */
export function outcomeOf(error: unknown, config: Config): Outcome {
  const answer = answerIn(error)
  return answer ? { status: answer.status, headers: pairsOf(answer.headers) } : { error, cause: causeOf(error, config) }
}

/** @internal A refusal as axios's users know errors. */
export function refused(Errors: Errors, refusal: CircuitOpenError, config: Config): AxiosError {
  const error = new Errors(refusal.message, refusal.code, unretried(config))
  error.name = refusal.name
  return Object.defineProperty(error, 'cause', { value: refusal, configurable: true, writable: true })
}

/** @internal What axios throws for a status that the caller does not want; of a stand-in it is final. */
export function rejected(Errors: Errors, response: AxiosResponse, config: Config): AxiosError {
  const { status } = response
  const code = status >= 400 && status < 500 ? Errors.ERR_BAD_REQUEST : Errors.ERR_BAD_RESPONSE
  return new Errors(`Request failed with status code ${status}`, code, unretried(config), response.request, response)
}

/** The config with what tells axios-retry and retry-axios to leave it at that. */
function unretried(config: Config): Config {
  const { 'axios-retry': retry, raxConfig } = config as { 'axios-retry'?: object; raxConfig?: object }
  return alike(config, {
    'axios-retry': { ...retry, retries: 0 },
    raxConfig: { ...raxConfig, retry: 0, noResponseRetries: 0 },
  })
}

/** @internal A config with some of it changed. Its prototype is none, so that nobody can put options in there. */
export function alike(config: Config, changes: object): Config {
  return Object.assign(Object.create(Object.getPrototypeOf(config) as object | null), config, changes) as Config
}
