// DynamoDB as dynalite has it, in a process of its own: it takes a whole core.
import dynalite from 'dynalite'

dynalite({ createTableMs: 0 }).listen(Number(process.argv[2]), '127.0.0.1')
