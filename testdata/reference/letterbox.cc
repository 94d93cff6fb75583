// What OpenCV spends on scaling a picture for a model, for `make bench`:
// resize, border, blobFromImage, on one thread. It reads how many pictures to
// scale and answers with the CPU time that each of them took, in nanoseconds.
//
//   letterbox WIDTH HEIGHT
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <opencv2/core.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>

namespace {

constexpr int tensor = 416;
constexpr int pad = 114;

long long cpu() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

}  // namespace

int main(int n, char **arg) {
  if (n != 3) {
    std::fprintf(stderr, "letterbox: usage: letterbox WIDTH HEIGHT\n");
    return 1;
  }
  cv::setNumThreads(1);
  cv::Mat picture(std::atoi(arg[2]), std::atoi(arg[1]), CV_8UC3);
  cv::randu(picture, 0, 256);
  const double scale = double(tensor) / std::max(picture.cols, picture.rows);
  const cv::Size size(int(picture.cols * scale), int(picture.rows * scale));
  cv::Mat small, whole, blob;
  for (char line[32]; std::fgets(line, sizeof line, stdin);) {
    const int pictures = std::max(1, std::atoi(line));
    const long long began = cpu();
    for (int i = 0; i < pictures; i++) {
      cv::resize(picture, small, size, 0, 0, cv::INTER_LINEAR);
      cv::copyMakeBorder(small, whole, 0, tensor - size.height, 0, tensor - size.width, cv::BORDER_CONSTANT,
                         cv::Scalar(pad, pad, pad));
      cv::dnn::blobFromImage(whole, blob, 1.0, cv::Size(), cv::Scalar(), false, false, CV_32F);
    }
    std::printf("%lld\n", (cpu() - began) / pictures);
    std::fflush(stdout);
  }
}
