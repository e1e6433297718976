// What does Node itself spend on a connection? Its server, with the bounds of time that the
// gateway has, which answers everything with the same bytes and asks nothing.
import { createServer } from 'node:http'
import { CONNECTION_LIMITS } from '../../src/app/options.ts'
import { readTask } from './task.ts'

const { port, bytes } = readTask<{ port: number, bytes: number }>()
const body = Buffer.alloc(bytes, 'x')
const { headers, request, idle, look, silence } = CONNECTION_LIMITS
createServer({ headersTimeout: headers, requestTimeout: request, keepAliveTimeout: idle, connectionsCheckingInterval: look }, (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/x-yaml', 'content-length': body.length }).end(body)
}).setTimeout(silence).listen(port, '127.0.0.1')
