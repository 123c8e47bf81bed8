// Mounts a handler of web requests in express.
import type { Request as Asked, RequestHandler, Response as Answer } from 'express'

/** For requests without a body, which are all that a board's admin takes. */
export function web(handler: (request: Request) => Promise<Response>): RequestHandler {
  return async (asked: Asked, answer: Answer) => {
    // As it was asked for: which names it goes by is for the handler to check.
    const url = URL.parse(asked.originalUrl, `${asked.protocol}://${asked.headers.host}`)
    if (url === null) return void answer.sendStatus(400)
    const response = await handler(new Request(url, { method: asked.method, headers: headersOf(asked) }))
    answer
      .status(response.status)
      .setHeaders(response.headers)
      .end(await response.text())
  }
}

function headersOf({ rawHeaders }: Asked): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  return headers
}
