# find_package(vmdk): the targets vmdk::vmdk and vmdk::hosted.
include(CMakeFindDependencyMacro)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/vmdk-targets.cmake)
