// Stored replies: never one user's to another. And whether these tests would tell: with its guard taken out, each must leak.
import { describe, expect, test } from 'vitest'
import { CREDENTIAL_LEAKS } from '../test/credential-leaks.ts'
import { plantAll } from '../test/engine.ts'
import { PARTITION_LEAKS } from '../test/partition-leaks.ts'
import { PLACE_LEAKS } from '../test/place-leaks.ts'
import * as core from './index.ts'

const LEAKS = [...CREDENTIAL_LEAKS, ...PARTITION_LEAKS, ...PLACE_LEAKS]

describe('as it ships, nothing leaks', () => {
  test.each(LEAKS)('#$case $what', async (leak) => expect(await leak.run(core)).toEqual([]))
})

describe('without its guard, it leaks', { timeout: 60_000 }, () => {
  test.each(LEAKS)('#$case $what', async (leak) => expect(await leak.run(plantAll(leak.guard))).not.toEqual([]))
})
