// The hosts next door, loopback and link-local ones: exporters, sidecars, metadata services.

const HOSTS = [
  String.raw`(?:[^/]+\.)?localhost\.?`,
  String.raw`127(?:\.\d+){3}|0\.0\.0\.0|169\.254(?:\.\d+){2}`,
  String.raw`\[(?:::1?|fe[89ab][\da-f]:[^\]]*|::ffff:(?:7f[\da-f]{2}|a9fe):[\da-f]+)\]`,
]

const LOCAL = new RegExp(String.raw`^[a-z]+://(?:${HOSTS.join('|')})(?::\d+)?/?$`, 'i')

/** @internal Whether an origin, as URLs write it, is this machine or its own link. */
export function isLocal(origin: string): boolean {
  return LOCAL.test(origin)
}
