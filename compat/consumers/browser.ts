// What a page may import: without the types of Node, and with a `lib` of 2020.
import { createBoard, guardFetch, staleIfError } from '@fuseboard/core'
import { breaker } from '@fuseboard/ky'
import ky from 'ky'
export const board = createBoard({ fallback: staleIfError() })
export const fetch = guardFetch(board)
export const api = ky.extend(breaker(board))
