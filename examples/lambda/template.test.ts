// The template is what CloudFormation takes, names nothing that is not there, and gives no right that is not needed.
import { execFile } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse, type ScalarTag } from 'yaml'

interface Template {
  readonly Parameters: Readonly<Record<string, object>>
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Properties }>>
}
type Properties = Readonly<Record<string, unknown>>
type SpecProperties = Readonly<Record<string, { readonly type: SpecType; readonly required?: boolean }>>
type SpecType =
  | { readonly type: 'ref'; readonly reference: { readonly $ref: string } }
  | { readonly type: 'array' | 'map'; readonly element: SpecType }
  | { readonly type: 'union'; readonly types: readonly SpecType[] }
  | { readonly type: 'string' | 'number' | 'integer' | 'boolean' | 'json' | 'date-time' | 'null' | 'tag' }

const FILE = join(import.meta.dirname, 'template.yaml')
/** How YAML writes CloudFormation's functions, as far as they are used here. */
const FUNCTIONS: ScalarTag[] = [
  { tag: '!Ref', resolve: (name) => ({ Ref: name }) },
  { tag: '!GetAtt', resolve: (path) => ({ 'Fn::GetAtt': path.split('.') }) },
]

let db: Awaited<ReturnType<typeof loadAwsServiceSpec>>
let template: Template
beforeAll(async () => {
  db = await loadAwsServiceSpec()
  template = parse(await readFile(FILE, 'utf8'), { customTags: FUNCTIONS }) as Template
})

const propertiesOf = (id: string): Properties => template.Resources[id]!.Properties
const resourceOf = (type: string) => db.lookup('resource', 'cloudFormationType', 'equals', type)

/** What `aws cloudformation package` makes of it: local files become their place in S3. */
function packaged({ Type, Properties }: Template['Resources'][string]): Properties {
  const local = { 'AWS::Lambda::Function': 'Code', 'AWS::Lambda::LayerVersion': 'Content' }[Type]
  return local === undefined ? Properties : { ...Properties, [local]: { S3Bucket: 'bucket', S3Key: 'key' } }
}

/** What is wrong with these properties, each with its path. */
function faultsOf(given: Properties, specified: SpecProperties, path: string): string[] {
  const missing = Object.keys(specified).filter((name) => specified[name]?.required === true && !(name in given))
  const faults = Object.entries(given).flatMap(([name, value]) => {
    const type = specified[name]?.type
    return type === undefined ? [`${path}.${name} is not known`] : faultsOfValue(value, type, `${path}.${name}`)
  })
  return [...missing.map((name) => `${path}.${name} is missing`), ...faults]
}

function faultsOfValue(value: unknown, type: SpecType, path: string): string[] {
  if (isFunction(value) || type.type === 'json') return []
  if (type.type === 'union') {
    const tries = type.types.map((one) => faultsOfValue(value, one, path))
    return tries.find((faults) => faults.length === 0) ?? tries[0] ?? []
  }
  if (type.type === 'array')
    return Array.isArray(value)
      ? value.flatMap((one, nth) => faultsOfValue(one, type.element, `${path}.${nth}`))
      : [`${path} must be a list`]
  if (type.type === 'map')
    return Object.entries(value as object).flatMap(([name, one]) => faultsOfValue(one, type.element, `${path}.${name}`))
  if (type.type === 'ref')
    return typeof value === 'object'
      ? faultsOf(value as Properties, db.get('typeDefinition', type.reference).properties, path)
      : [`${path} must be an object`]
  const expected = type.type === 'integer' ? 'number' : type.type
  return typeof value === expected ? [] : [`${path} must be a ${expected}`]
}

const isFunction = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && /^(?:Ref|Fn::\w+)$/.test(Object.keys(value).join())

function faults(resources: Template['Resources']): string[] {
  return Object.entries(resources).flatMap(([id, resource]) => {
    const [specified] = resourceOf(resource.Type)
    if (specified === undefined) return [`${id} is of no known type`]
    return faultsOf(packaged(resource), specified.properties, id)
  })
}

describe('template.yaml', () => {
  test('has nothing but known resources, with known properties of the right types', () => {
    expect(faults(template.Resources)).toEqual([])
  })

  test('is checked by something that would notice', () => {
    const { KeySchema: _none, ...keyless } = propertiesOf('Circuits')
    const wrong = { Timeout: '10', Memory: 1, LoggingConfig: { Group: 'x' }, Layers: 'one' }
    const resources = {
      Fuse: { Type: 'AWS::Lambda::Fuse', Properties: {} },
      Verses: { Type: 'AWS::Lambda::Function', Properties: { ...propertiesOf('Verses'), ...wrong } },
      Circuits: {
        Type: 'AWS::DynamoDB::Table',
        Properties: { ...keyless, AttributeDefinitions: [{ AttributeName: 'k' }] },
      },
    }
    expect(faults(resources)).toEqual([
      'Fuse is of no known type',
      'Verses.Layers must be a list',
      'Verses.Timeout must be a number',
      'Verses.LoggingConfig.Group is not known',
      'Verses.Memory is not known',
      'Circuits.KeySchema is missing',
      'Circuits.AttributeDefinitions.0.AttributeType is missing',
    ])
  })

  test('refers to what is in it, and to attributes that there are', () => {
    const names = [...Object.keys(template.Parameters), ...Object.keys(template.Resources)]
    for (const reference of functionsIn(template.Resources)) {
      if ('Ref' in reference) expect(names).toContain(reference.Ref)
      else {
        const [id, attribute] = reference['Fn::GetAtt']
        const { attributes } = resourceOf(template.Resources[id]!.Type).only()
        expect(Object.keys(attributes)).toContain(attribute)
      }
    }
  })

  test('takes the handler that is there, the layer where it is built, and a runtime that the layer is for', async () => {
    const there = (path: unknown): string => resolve(import.meta.dirname, path as string)
    const [code, layer] = [propertiesOf('Verses'), propertiesOf('Layer')]
    expect((await stat(there(code['Code']))).isFile()).toBe(true)
    expect(code['Handler']).toBe('handler.handler')
    const [, built = ''] = /join\(root, '(.+\.zip)'\)/.exec(await readFile(there('../../tools/layer.ts'), 'utf8')) ?? []
    expect(there(layer['Content'])).toBe(there(join('../..', built)))
    expect(layer['CompatibleRuntimes']).toContain(code['Runtime'])
  })

  test('gives the function no right but two on its items of the table, and two on its log', () => {
    const policies = propertiesOf('Role')['Policies'] as { PolicyDocument: { Statement: object[] } }[]
    const { Variables } = propertiesOf('Verses')['Environment'] as { Variables: { FUSEBOARD_NAMESPACE: string } }
    expect(policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
        Resource: { 'Fn::GetAtt': ['Circuits', 'Arn'] },
        Condition: {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [`fuseboard:${Variables.FUSEBOARD_NAMESPACE}:*`] },
        },
      },
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        Resource: { 'Fn::GetAtt': ['Log', 'Arn'] },
      },
    ])
  })

  test('has the alarms that fuseboard-alarms makes of the handler’s board', async () => {
    const command = resolve(import.meta.dirname, '../../packages/telemetry/src/alarms-cli.ts')
    const topic = 'arn:aws:sns:eu-central-1:123456789012:told'
    const args = ['--board', join(import.meta.dirname, 'handler.mjs'), '--format', 'cfn', '--topic', topic]
    const names = ['--namespace', 'CCT/CircuitBreakers', '--dimension', 'ServiceName']
    const env = {
      ...process.env,
      FUSEBOARD_TABLE: 'circuits',
      FUSEBOARD_NAMESPACE: 'verses',
    }
    const { stdout } = await promisify(execFile)(process.execPath, [command, ...args, ...names], { env })
    const made = (JSON.parse(stdout) as Template).Resources
    const told = JSON.parse(JSON.stringify(made).replaceAll(`"${topic}"`, '{"Ref":"Told"}')) as object
    const alarms = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm')
    expect(Object.fromEntries(alarms)).toEqual(told)
  })
})

type Reference = { readonly Ref: string } | { readonly 'Fn::GetAtt': readonly [id: string, attribute: string] }

function functionsIn(value: unknown): Reference[] {
  if (typeof value !== 'object' || value === null) return []
  return isFunction(value) ? [value as Reference] : Object.values(value).flatMap(functionsIn)
}
