// Answers for callers who have one already (RFC 9110, section 13.1.2).
import { header, type HeaderPairs } from './headers.ts'
import type { StoredReply } from './reply.ts'
import type { HttpRequest } from './request.ts'

/** @internal Whether the caller has the very same answer and asks for news of it only. */
export function isKnown({ status, headers }: StoredReply, request: HttpRequest): boolean {
  const [tag] = tagsIn(headers, 'etag')
  return status === 200 && tag !== undefined && tagsIn(request.headers, 'if-none-match').includes(tag)
}

/** The entity tags of a field, compared weakly: by what stands in their quotes. */
const tagsIn = (headers: HeaderPairs, name: string): readonly string[] => header(headers, name)?.match(/"[^"]*"/g) ?? []
