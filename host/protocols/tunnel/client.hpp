// client.hpp: send frames to a Sluice gateway through its tunnel (tunnel.md beside this folder, version 1).
//
// C++17, nothing but the standard library; the socket at the end is POSIX and can be left out with
// SLUICE_TUNNEL_NO_SOCKET. `Session` is the protocol without a socket; `Client` is a session on a TCP connection
// that it opens again whenever it breaks. One thread at a time.
//
//   sluice::tunnel::Client plc("192.168.0.2", "9000", {"press-4", sluice::tunnel::random_session(), "token"});
//   plc.send(bytes, size);        // 0: as many frames are kept as may be
//   plc.step(100);                // does what there is to do, for at most 100 ms; call it again and again
//
// For TLS put a local stunnel in between, or drive `Session` over your own TLS library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sluice::tunnel {

using Bytes = std::vector<std::uint8_t>;

// What breaks the protocol: the connection has to end, and a new one may begin.
struct ProtocolError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum : std::uint8_t { kHello = 1, kWelcome = 2, kData = 3, kAck = 4, kPing = 5, kPong = 6, kClose = 7 };
enum : std::uint16_t { kTrace = 1, kTopic = 2 };
constexpr std::uint8_t kMagic = 0xd5;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kBody = 24;
constexpr std::size_t kLeast = 28;
constexpr std::size_t kTraceBytes = 25;
constexpr std::uint64_t kLastSequence = (std::uint64_t{1} << 53) - 1;
// Largest frame of a server's; only a CLOSE has more than a few bytes.
constexpr std::size_t kLargestAnswer = 4096;

// CRC-32C. Source: RFC 3720, 12.1.
inline std::uint32_t crc32c(const std::uint8_t* bytes, std::size_t size) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t byte = 0; byte < 256; byte++) {
      std::uint32_t crc = byte;
      for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? (crc >> 1) ^ 0x82f63b78u : crc >> 1;
      made[byte] = crc;
    }
    return made;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (std::size_t i = 0; i < size; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >> 8);
  return ~crc;
}

inline void put(std::uint8_t* to, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; i--, value >>= 8) to[i] = static_cast<std::uint8_t>(value);
}

inline std::uint64_t get(const std::uint8_t* from, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; i++) value = value << 8 | from[i];
  return value;
}

// A frame with room for a body of this size; `seal` writes the check once the body is there.
inline Bytes frame(std::uint8_t type, std::uint64_t sequence, std::size_t body) {
  Bytes out(kLeast + body);
  out[0] = kMagic;
  out[1] = static_cast<std::uint8_t>(kVersion << 4 | type);
  put(&out[4], out.size(), 4);
  put(&out[8], sequence, 8);
  return out;
}

inline Bytes seal(Bytes out) {
  put(&out[out.size() - 4], crc32c(out.data(), out.size() - 4), 4);
  return out;
}

struct Identity {
  // 1 to 64 letters, digits, dot, _ and -; no two clients of a server may have the same.
  std::string client;
  // 1 to 2^53-1: the same as long as the sequences go on, another one when they begin anew.
  std::uint64_t session = 0;
  std::string token;
};

struct Frame {
  const std::uint8_t* payload = nullptr;
  std::size_t size = 0;
  // UTF-8. Empty: <source>/<client>.
  std::string topic;
  // Nanoseconds since 1970; 0: when the server receives it.
  std::uint64_t timestamp = 0;
  // 25 bytes of trace context, or none.
  const std::uint8_t* trace = nullptr;
};

inline std::uint64_t random_session() {
  std::random_device device;
  const std::uint64_t value = std::uint64_t{device()} << 32 | device();
  return 1 + value % (kLastSequence - 1);
}

inline Bytes encode_hello(const Identity& who, std::uint64_t first) {
  Bytes out = frame(kHello, first, 10 + who.client.size() + who.token.size());
  put(&out[kBody], who.session, 8);
  std::size_t at = kBody + 8;
  for (const std::string* text : {&who.client, &who.token}) {
    out[at++] = static_cast<std::uint8_t>(text->size());
    for (const char letter : *text) out[at++] = static_cast<std::uint8_t>(letter);
  }
  return seal(std::move(out));
}

inline Bytes encode_data(std::uint64_t sequence, const Frame& data) {
  const std::size_t head = (data.trace ? kTraceBytes : 0) + (data.topic.empty() ? 0 : 2 + data.topic.size());
  Bytes out = frame(kData, sequence, head + data.size);
  put(&out[2], (data.trace ? kTrace : 0) | (data.topic.empty() ? 0 : kTopic), 2);
  put(&out[16], data.timestamp, 8);
  std::size_t at = kBody;
  if (data.trace) {
    std::memcpy(&out[at], data.trace, kTraceBytes);
    at += kTraceBytes;
  }
  if (!data.topic.empty()) {
    put(&out[at], data.topic.size(), 2);
    std::memcpy(&out[at + 2], data.topic.data(), data.topic.size());
    at += 2 + data.topic.size();
  }
  if (data.size > 0) std::memcpy(&out[at], data.payload, data.size);
  return seal(std::move(out));
}

// The client side without a socket. For each connection: `begin`, then `receive` what comes, and write what
// `take` gives whenever one of them, or `send`, was called.
class Session {
 public:
  // capacity: most frames that are kept until they are acknowledged.
  explicit Session(Identity who, std::size_t capacity = 10000) : who_(std::move(who)), capacity_(capacity) {
    if (who_.client.empty() || who_.client.size() > 64 || who_.token.size() > 255 || who_.session == 0 ||
        who_.session > kLastSequence)
      throw std::invalid_argument("client id of 1 to 64 characters, token of at most 255, session of 1 to 2^53-1");
  }

  // Takes a frame: its sequence, or 0 if as many are kept as may be. It may be of at most `max_frame` bytes.
  std::uint64_t send(const Frame& data) {
    if (kept_.size() == capacity_) return 0;
    const std::uint64_t sequence = first_ + kept_.size();
    kept_.push_back(encode_data(sequence, data));
    return sequence;
  }

  void begin() {
    in_.clear();
    window_ = 0;
    ready_ = false;
    out_ = encode_hello(who_, first_);
  }

  void ping() { append(seal(frame(kPing, 0, 0))); }

  // Bytes that are to be written now; empty: none.
  Bytes take() {
    while (window_ > 0 && sent_ + 1 < first_ + kept_.size() && sent_ + 1 < first_ + window_) {
      append(kept_[static_cast<std::size_t>(sent_ + 1 - first_)]);
      sent_++;
    }
    return std::exchange(out_, Bytes{});
  }

  // Throws ProtocolError: the connection has to end.
  void receive(const std::uint8_t* bytes, std::size_t size) {
    in_.insert(in_.end(), bytes, bytes + size);
    std::size_t at = 0;
    while (const std::size_t length = whole(at)) {
      take_frame(&in_[at], length);
      at += length;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // The server has welcomed this connection.
  bool ready() const { return ready_; }
  std::uint64_t acknowledged() const { return first_ - 1; }
  // Frames that are not acknowledged.
  std::size_t open() const { return kept_.size(); }
  std::uint32_t keep_alive_ms() const { return keep_alive_ms_; }
  // Largest frame that the server takes; 0: it has not said yet.
  std::uint32_t max_frame() const { return max_frame_; }
  // What the server said when it ended a connection last.
  const std::string& last_words() const { return last_words_; }

 private:
  // Length of the frame that begins there, or 0 while it is not whole.
  std::size_t whole(std::size_t at) const {
    const std::size_t have = in_.size() - at;
    if (have > 0 && in_[at] != kMagic) throw ProtocolError("this is no tunnel");
    if (have > 1 && in_[at + 1] >> 4 != kVersion) throw ProtocolError("another version of the tunnel");
    if (have < 8) return 0;
    const std::uint64_t length = get(&in_[at + 4], 4);
    if (length < kLeast || length > kLargestAnswer) throw ProtocolError("a frame of a length that cannot be");
    if (have < length) return 0;
    if (get(&in_[at + length - 4], 4) != crc32c(&in_[at], length - 4)) throw ProtocolError("a check that does not fit");
    return static_cast<std::size_t>(length);
  }

  void take_frame(const std::uint8_t* bytes, std::size_t length) {
    const std::uint64_t sequence = get(bytes + 8, 8);
    switch (bytes[1] & 0x0f) {
      case kWelcome: {
        if (length < kLeast + 12) throw ProtocolError("a WELCOME that is too short");
        if (sequence + 1 < first_ || sequence >= first_ + kept_.size())
          throw ProtocolError("the server took what this end has not");
        sent_ = sequence;
        window_ = get(bytes + kBody, 4);
        max_frame_ = static_cast<std::uint32_t>(get(bytes + kBody + 4, 4));
        keep_alive_ms_ = static_cast<std::uint32_t>(get(bytes + kBody + 8, 4));
        ready_ = true;
        return;
      }
      case kAck:
        if (sequence < first_) return;
        if (sequence > sent_) throw ProtocolError("the server acknowledges what was not sent");
        kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(sequence - first_ + 1));
        first_ = sequence + 1;
        return;
      case kPing:
        append(seal(frame(kPong, sequence, 0)));
        return;
      case kPong:
        return;
      case kClose:
        if (length > kLeast + 2)
          last_words_.assign(reinterpret_cast<const char*>(bytes) + kBody + 2, length - kLeast - 2);
        return;
      default:
        throw ProtocolError("a frame that no server sends");
    }
  }

  void append(const Bytes& bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }

  Identity who_;
  std::size_t capacity_;
  std::deque<Bytes> kept_;
  // Sequence of the oldest frame that is kept, and of the last that was written to this connection.
  std::uint64_t first_ = 1;
  std::uint64_t sent_ = 0;
  std::uint64_t window_ = 0;
  std::uint32_t max_frame_ = 0;
  std::uint32_t keep_alive_ms_ = 0;
  bool ready_ = false;
  Bytes in_;
  Bytes out_;
  std::string last_words_;
};

}  // namespace sluice::tunnel

#ifndef SLUICE_TUNNEL_NO_SOCKET
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace sluice::tunnel {

// A session on a TCP connection, which is opened again after a pause whenever it breaks.
class Client {
 public:
  Client(std::string host, std::string port, Identity who, std::size_t capacity = 10000, int retry_ms = 500)
      : host_(std::move(host)), port_(std::move(port)), session_(std::move(who), capacity), retry_ms_(retry_ms) {}
  ~Client() { disconnect(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::uint64_t send(const Frame& data) { return session_.send(data); }
  std::uint64_t send(const void* payload, std::size_t size) {
    Frame data;
    data.payload = static_cast<const std::uint8_t*>(payload);
    data.size = size;
    return session_.send(data);
  }
  const Session& session() const { return session_; }

  // Connects, writes and reads, waiting for at most so many milliseconds for something to do.
  void step(int wait_ms) {
    const auto until = Clock::now() + std::chrono::milliseconds(wait_ms);
    if (socket_ < 0 && Clock::now() >= retry_at_) connect();
    if (socket_ < 0) {
      poll(nullptr, 0, left(until < retry_at_ ? until : retry_at_));
      return;
    }
    try {
      keep_alive();
      const Bytes more = session_.take();
      pending_.insert(pending_.end(), more.begin(), more.end());
      pollfd entry{socket_, static_cast<short>(POLLIN | (pending_.empty() ? 0 : POLLOUT)), 0};
      if (poll(&entry, 1, left(until)) <= 0) return;
      if (entry.revents & POLLOUT) write();
      if (socket_ >= 0 && entry.revents & (POLLIN | POLLERR | POLLHUP)) read();
    } catch (const ProtocolError&) {
      disconnect();
    }
  }

  // Ends the connection as a broken cable does; the next step opens another.
  void disconnect() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
    pending_.clear();
    retry_at_ = Clock::now() + std::chrono::milliseconds(retry_ms_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  static int left(Clock::time_point until) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    return ms < 0 ? 0 : static_cast<int>(ms);
  }

  // Waits for the connection; on a cut network that takes as long as the system takes.
  void connect() {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host_.c_str(), port_.c_str(), &wanted, &found) == 0) {
      for (addrinfo* one = found; one && socket_ < 0; one = one->ai_next) {
        socket_ = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
        if (socket_ >= 0 && ::connect(socket_, one->ai_addr, one->ai_addrlen) != 0) {
          close(socket_);
          socket_ = -1;
        }
      }
      freeaddrinfo(found);
    }
    retry_at_ = Clock::now() + std::chrono::milliseconds(retry_ms_);
    if (socket_ < 0) return;
    const int yes = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
    heard_at_ = pinged_at_ = Clock::now();
    session_.begin();
  }

  void keep_alive() {
    const auto every = std::chrono::milliseconds(session_.keep_alive_ms());
    if (!session_.ready() || every.count() == 0) return;
    const auto now = Clock::now();
    if (now - heard_at_ > 2 * every) throw ProtocolError("the server is silent");
    if (now - pinged_at_ < every) return;
    pinged_at_ = now;
    session_.ping();
  }

  void write() {
    const ssize_t count = ::send(socket_, pending_.data(), pending_.size(), MSG_NOSIGNAL);
    if (count > 0) pending_.erase(pending_.begin(), pending_.begin() + count);
    else if (errno != EAGAIN && errno != EINTR) disconnect();
  }

  void read() {
    std::uint8_t bytes[4096];
    const ssize_t count = recv(socket_, bytes, sizeof bytes, 0);
    if (count > 0) {
      heard_at_ = Clock::now();
      session_.receive(bytes, static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      disconnect();
    }
  }

  std::string host_;
  std::string port_;
  Session session_;
  int retry_ms_;
  int socket_ = -1;
  Bytes pending_;
  Clock::time_point retry_at_{};
  Clock::time_point heard_at_{};
  Clock::time_point pinged_at_{};
};

}  // namespace sluice::tunnel
#endif
