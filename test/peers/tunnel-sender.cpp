// Sends COUNT frames through the C++ client and breaks the connection after every CUT of them; prints when all are
// acknowledged. Usage: tunnel-sender PORT TOKEN COUNT CUT
#include "client.hpp"

#include <iostream>

int main(int, char** args) {
  const unsigned long count = std::stoul(args[3]);
  const unsigned long cut = std::stoul(args[4]);
  sluice::tunnel::Client plc("127.0.0.1", args[1], {"press-4", sluice::tunnel::random_session(), args[2]}, 1000, 20);
  unsigned long sent = 0;
  while (sent < count || plc.session().open() > 0) {
    while (sent < count && sent - plc.session().acknowledged() < 100) {
      std::uint8_t payload[4];
      sluice::tunnel::put(payload, sent + 1, 4);
      if (plc.send(payload, sizeof payload) == 0) break;
      if (++sent % cut == 0) plc.disconnect();
    }
    plc.step(50);
    if (!plc.session().last_words().empty()) {
      std::cerr << plc.session().last_words() << std::endl;
      return 1;
    }
  }
  std::cout << "acknowledged " << plc.session().acknowledged() << std::endl;
}
