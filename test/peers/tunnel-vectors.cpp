// Prints the frames of host/protocols/tunnel/vectors.json as the C++ client makes them, one in hex a line; then reads
// the server's frames from standard input (hex, one a line) into a session and prints what it knows after each.
#define SLUICE_TUNNEL_NO_SOCKET
#include "client.hpp"

#include <iostream>

using namespace sluice::tunnel;

static void print(const Bytes& bytes) {
  static const char digits[] = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) std::cout << digits[byte >> 4] << digits[byte & 15];
  std::cout << '\n';
}

static Bytes hex(const std::string& line) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < line.size(); i += 2)
    out.push_back(static_cast<std::uint8_t>(std::stoi(line.substr(i, 2), nullptr, 16)));
  return out;
}

int main() {
  const std::uint8_t payload[] = {1, 2, 3, 0xff};
  std::uint8_t trace[kTraceBytes];
  for (std::size_t i = 0; i < sizeof trace; i++) trace[i] = static_cast<std::uint8_t>(i + 1);
  const Identity who{"press-4", 0x1234567890abc, "k3J9_xQ7mB2vN8pR"};
  print(encode_hello(who, 7));
  Frame data;
  data.payload = payload;
  data.size = sizeof payload;
  print(encode_data(1, data));
  data.timestamp = 1764112345678901000;
  data.topic = "halle/öl";
  data.trace = trace;
  print(encode_data(kLastSequence, data));
  print(encode_data(2, Frame{}));
  print(seal(frame(kPing, 0, 0)));

  Session session({"press-4", 9, ""}, 4);
  for (int i = 0; i < 4; i++) session.send(data);
  session.begin();
  for (std::string line; std::getline(std::cin, line);) {
    const Bytes bytes = hex(line);
    try {
      // Byte by byte: where the chunks end may not matter.
      for (const std::uint8_t byte : bytes) session.receive(&byte, 1);
    } catch (const ProtocolError& error) {
      std::cout << "refused: " << error.what() << '\n';
      continue;
    }
    const std::size_t bytes_out = session.take().size();
    std::cout << session.acknowledged() << ' ' << session.open() << ' ' << session.ready() << ' ' << bytes_out << ' '
              << session.last_words() << '\n';
  }
}
