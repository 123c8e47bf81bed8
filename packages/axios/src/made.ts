// A reply as a response of axios: with the data that the adapter would have given for its response type.
import type { Reply } from '@fuseboard/core'
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import type { Means } from './copy.ts'

type Config = InternalAxiosRequestConfig

/** @internal Whether a response type can be made of bytes. */
export function canMake({ responseType }: Config, { web }: Means): boolean {
  return !web || (responseType !== 'formdata' && responseType !== 'document')
}

/** @internal */
export function make(reply: Reply, config: Config, { web }: Means): AxiosResponse {
  const { status, statusText } = reply
  return { data: dataOf(reply, config, web), status, statusText, headers: headersOf(reply), config, request: undefined }
}

/** As the adapter gives it: what a caller's `transformResponse` makes of that is made afresh for each call. */
function dataOf({ body, headers }: Reply, { responseType, responseEncoding }: Config, web: boolean): unknown {
  const bytes = new Uint8Array(body)
  if (web) {
    if (responseType === 'stream') return new Response(bytes).body
    if (responseType === 'arraybuffer') return bytes.buffer
    const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
    return responseType === 'blob' ? new Blob([bytes], { type }) : new TextDecoder().decode(bytes)
  }
  const buffer = Buffer.from(bytes.buffer)
  if (responseType === 'arraybuffer') return buffer
  if (responseType === 'stream')
    return process.getBuiltinModule('node:stream').Readable.from([buffer], { objectMode: false })
  return buffer.toString(responseEncoding as BufferEncoding | undefined).replace(/^\uFEFF/, '')
}

/** As Node has them: only cookies are a list. */
function headersOf({ headers }: Reply): Record<string, string | string[]> {
  const all = new Map<string, string[]>()
  for (const [field, value] of headers) {
    const name = field.toLowerCase()
    all.set(name, [...(all.get(name) ?? []), value])
  }
  return Object.fromEntries(
    [...all].map(([name, values]) => [name, name === 'set-cookie' ? values : values.join(', ')]),
  )
}
