// Which hosts are next door.
import { expect, test } from 'vitest'
import { isLocal } from './local.ts'

test.each([
  'http://localhost',
  'http://localhost:3000',
  'https://api.localhost/',
  'http://127.0.0.1:9200',
  'http://127.8.9.1',
  'http://0.0.0.0:80',
  'http://169.254.169.254',
  'http://[::1]:8080',
  'http://[fe80::1]',
  new URL('http://[::ffff:127.0.0.1]:1').origin,
  new URL('http://0x7f.1').origin,
])('%s is next door', (origin) => {
  expect(isLocal(origin)).toBe(true)
})

test.each([
  'http://bible-api.com',
  'https://localhost.example.com',
  'http://notlocalhost',
  'http://10.0.0.1',
  'http://127.0.0.1.example.com',
  'http://[fd00:ec2::254]',
  'http://[2001:db8::1]:443',
  '',
])('%s is elsewhere', (origin) => {
  expect(isLocal(origin)).toBe(false)
})
