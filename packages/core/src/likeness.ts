// A response with what its maker cannot give it, such as the URL that it stands for.

/** @internal What a response says of itself. */
export type Told = Pick<Response, 'url' | 'redirected' | 'type' | 'status' | 'statusText' | 'ok'>

/** @internal A response with what its maker cannot give it: its clones have it, too. */
export function alike(response: Response, told: Told, withStatus: boolean): Response {
  const { url, redirected, type, status, statusText, ok } = told
  const own = {
    url,
    redirected,
    type,
    ...(withStatus && { status, statusText, ok }),
    clone: () => alike(Response.prototype.clone.call(response), told, withStatus),
  }
  for (const [name, value] of Object.entries(own)) Object.defineProperty(response, name, { value, configurable: true })
  return response
}
