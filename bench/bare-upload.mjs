// The peer of `bench:upload`: takes a body and writes it to a file, and does nothing else. Says its address to the parent process.
import { open } from 'node:fs/promises'
import { createServer } from 'node:http'

const path = process.argv[2]
const server = createServer(async (request, response) => {
  const file = await open(path, 'w')
  for await (const piece of request)
    for (let at = 0; at < piece.length;) at += (await file.write(piece, at)).bytesWritten
  await file.sync()
  await file.close()
  response.writeHead(201).end('{"uploadId":""}')
})
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}`))
