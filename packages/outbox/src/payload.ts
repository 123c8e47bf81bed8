// What a request sends, as bytes that can be kept: whole, and no more of them than allowed.

/** The bytes of a payload, and what they are where its client would have said so. */
export interface Bytes {
  readonly body: Uint8Array | undefined
  readonly contentType: string | undefined
}

/**
 * @internal
 * @throws Error where it is a stream, or too large
 */
export async function bytesOf(payload: unknown, maxBytes: number): Promise<Bytes> {
  if (payload === undefined || payload === null) return { body: undefined, contentType: undefined }
  if (!isWhole(payload)) throw new Error(`its body is ${kindOf(payload)}, which cannot be kept; text and bytes can`)
  // What it is, and the boundary of a form, is known to the platform.
  const source = payload instanceof Request ? payload : new Response(payload)
  return { body: await readAll(source.body, maxBytes), contentType: source.headers.get('content-type') ?? undefined }
}

/** @internal Keeps what can be had only before a request is sent: the copy of a `Request` is read at once, lest all of it be held. */
export function hold(payload: () => unknown, maxBytes: number): () => Promise<Bytes> {
  try {
    const held = payload()
    if (!(held instanceof Request)) return () => bytesOf(held, maxBytes)
    const bytes = bytesOf(held, maxBytes)
    bytes.catch(() => {})
    return () => bytes
  } catch (error) {
    return () => Promise.reject(error)
  }
}

async function readAll(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const bytes = await readUpTo(body, maxBytes, (chunk) => chunks.push(chunk))
  if (bytes > maxBytes) throw new Error(`its body has more than ${maxBytes} bytes (maxBodyBytes)`)
  const whole = new Uint8Array(bytes)
  let end = 0
  for (const chunk of chunks) {
    whole.set(chunk, end)
    end += chunk.byteLength
  }
  return whole
}

/**
 * @internal Reads a body until there is too much of it.
 * @returns how many bytes came
 */
export async function readUpTo(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  take: (chunk: Uint8Array) => void,
): Promise<number> {
  const reader = body?.getReader()
  let bytes = 0
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    bytes += next.value.byteLength
    if (bytes > maxBytes) {
      // Not awaited: one branch of a copied body is let go of only when the other is.
      reader?.cancel().catch(() => {})
      return bytes
    }
    take(next.value)
  }
  return bytes
}

/** Nothing of what is in it, since that may be a secret. */
function kindOf(payload: unknown): string {
  if (typeof payload !== 'object' || payload === null) return `a ${typeof payload}`
  const flows = 'getReader' in payload || 'pipe' in payload || Symbol.asyncIterator in payload
  return flows ? 'a stream' : 'an object of another kind'
}

type Whole = Exclude<
  ConstructorParameters<typeof Response>[0],
  ReadableStream | AsyncIterable<Uint8Array> | null | undefined
>

/** What is there from beginning to end, and can be read as often as one likes. */
function isWhole(payload: unknown): payload is Request | Whole {
  if (typeof payload === 'string' || payload instanceof ArrayBuffer || ArrayBuffer.isView(payload)) return true
  return [Request, Blob, FormData, URLSearchParams].some((Kind) => payload instanceof Kind)
}
